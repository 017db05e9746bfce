import { defineModule, defineOptions, option, types } from "../../../core/index.ts";

const setting = types.nullOr(types.oneOf([types.bool, types.int, types.str, types.listOf(types.str)]));

const options = defineOptions({
  services: {
    openssh: {
      enable: option(types.bool, { default: false, description: "Whether the machine can be logged in to by SSH." }),
      ports: option(types.listOf(types.port), { default: [22], description: "Ports that the server listens on." }),
      openFirewall: option(types.bool, { default: true, description: "Whether the firewall lets these ports through." }),
      listenAddresses: option(
        types.listOf(
          types.submodule({
            options: {
              addr: option(types.str, { description: "A host name or an address." }),
              port: option(types.nullOr(types.port), { default: null, description: "The port; null: those of `ports`." }),
            },
          }),
        ),
        { default: [], description: "Addresses that the server listens on; none: all.", example: [{ addr: "192.0.2.2", port: 22 }] },
      ),
      hostKeys: option(
        types.listOf(
          types.submodule({
            options: {
              type: option(types.enum(["ed25519", "rsa", "ecdsa"]), { description: "The kind of key." }),
              path: option(types.str, { description: "Where the private key lies; made when it is missing." }),
              bits: option(types.nullOr(types.ints.positive), { default: null, description: "The key's length, for rsa." }),
            },
          }),
        ),
        {
          default: [
            { type: "rsa", bits: 4096, path: "/etc/ssh/ssh_host_rsa_key" },
            { type: "ed25519", path: "/etc/ssh/ssh_host_ed25519_key" },
          ],
          description: "The server's keys.",
        },
      ),
      settings: option(types.attrsOf(setting), {
        default: {},
        description: "Keywords of sshd_config(5); true is yes, false is no, null leaves one out.",
        example: { PermitRootLogin: "no", PasswordAuthentication: false },
      }),
      extraConfig: option(types.lines, { default: "", description: "Further lines of sshd_config(5), such as Match blocks." }),
    },
  },
});

declare module "../../../core/option/registry.ts" {
  interface OptionModules {
    "services/networking/openssh": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config, lib, pkgs }) => {
    const { enable, ports, openFirewall, listenAddresses, hostKeys, settings, extraConfig } = config.services.openssh;
    if (!enable) return {};
    const lines = Object.entries(settings).flatMap(([name, value]) => {
      if (value === null) return [];
      return [`${name} ${value === true ? "yes" : value === false ? "no" : Array.isArray(value) ? value.join(",") : String(value)}`];
    });
    const address = (addr: string, port: number | null): string => (port === null ? addr : `${addr.includes(":") ? `[${addr}]` : addr}:${port}`);
    const sshdConfig = pkgs.writeText(
      "sshd_config",
      [
        ...ports.map((port) => `Port ${port}`),
        ...listenAddresses.map(({ addr, port }) => `ListenAddress ${address(addr, port)}`),
        ...hostKeys.map(({ path }) => `HostKey ${path}`),
        "AddressFamily any",
        "Subsystem sftp /usr/lib/openssh/sftp-server",
        ...lines,
        extraConfig,
      ].join("\n"),
    );
    const keygen = hostKeys.map(
      ({ type, path, bits }) => `if ! [ -s "${path}" ]; then
  [ -h "${path}" ] || rm -f "${path}"
  mkdir -p "$(dirname "${path}")"
  ssh-keygen -q -t ${type} ${bits === null ? "" : `-b ${bits} `}-f "${path}" -N ""
fi
`,
    );
    return {
      services: {
        openssh: {
          settings: {
            UsePAM: lib.mkDefault(true),
            PermitRootLogin: lib.mkDefault("prohibit-password"),
            PasswordAuthentication: lib.mkDefault(true),
            KbdInteractiveAuthentication: lib.mkDefault(true),
            X11Forwarding: lib.mkDefault(false),
            PrintMotd: lib.mkDefault(false),
            AuthorizedKeysFile: lib.mkDefault("%h/.ssh/authorized_keys /etc/ssh/authorized_keys.d/%u"),
          },
        },
      },
      system: { os: { packages: ["openssh-server", "openssh-sftp-server"] } },
      users: {
        users: { sshd: { isSystemUser: true, group: "sshd", home: "/run/sshd", description: "SSH privilege separation" } },
        groups: { sshd: {} },
      },
      networking: { firewall: { allowedTCPPorts: openFirewall ? ports : [] } },
      environment: { etc: { "ssh/sshd_config": { source: sshdConfig } } },
      systemd: {
        services: {
          "sshd-keygen": {
            description: "SSH host keys",
            unitConfig: { ConditionFileNotEmpty: hostKeys.map(({ path }) => `|!${path}`) },
            serviceConfig: { Type: "oneshot" },
            script: keygen.join(""),
          },
          sshd: {
            description: "SSH server",
            wantedBy: ["multi-user.target"],
            after: ["network.target", "sshd-keygen.service"],
            wants: ["sshd-keygen.service"],
            stopIfChanged: false,
            restartTriggers: [sshdConfig],
            serviceConfig: {
              Type: "notify-reload",
              ExecStart: "/usr/sbin/sshd -D -f /etc/ssh/sshd_config",
              KillMode: "process",
              Restart: "always",
              RuntimeDirectory: "sshd",
              RuntimeDirectoryMode: "0755",
            },
          },
        },
      },
    };
  },
});
