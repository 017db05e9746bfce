import { defineModule, defineOptions, option, types } from "../../../core/index.ts";
import { sshdKeywords, sshdSettings } from "./sshd-keywords.ts";

const keyPath = types.strMatching(/\/[^\s"'\\$`]+/);

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
              addr: option(types.strMatching(/[^\s#"]+/), { description: "A host name or an address." }),
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
              path: option(keyPath, { description: "Where the private key lies; made when it is missing." }),
              bits: option(types.nullOr(types.ints.positive), { default: null, description: "The key's length, for rsa and ecdsa." }),
              comment: option(types.nullOr(types.strMatching(/[^\n'"\\$`]*/)), { default: null, description: "The key's comment." }),
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
      allowSFTP: option(types.bool, { default: true, description: "Whether files may be transferred (sftp, scp)." }),
      sftpFlags: option(types.listOf(types.strMatching(/[^\s#]+/)), { default: [], description: "Arguments of the SFTP server.", example: ["-f", "AUTHPRIV"] }),
      authorizedKeysFiles: option(types.listOf(types.strMatching(/[^\s#]+/)), { default: [], description: "Files of keys that may log in, beside those of the options.", example: ["/etc/keys/%u"] }),
      authorizedKeysInHomedir: option(types.bool, { default: true, description: "Whether keys in ~/.ssh/authorized_keys may log in." }),
      authorizedKeysCommand: option(types.nullOr(types.singleLineStr), { default: null, description: "A program that lists the keys of a user." }),
      authorizedKeysCommandUser: option(types.str, { default: "nobody", description: "The user that `authorizedKeysCommand` runs as." }),
      banner: option(types.nullOr(types.lines), { default: null, description: "What is shown before a login." }),
      settings: option(types.submodule({ options: sshdKeywords }), {
        default: {},
        description: "Keywords of sshd_config(5); true is yes, false is no, null leaves one to the server's default.",
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
    const { openssh } = config.services;
    if (!openssh.enable) return {};
    const { ports, listenAddresses, hostKeys, settings } = openssh;
    const address = (addr: string, port: number | null): string => (port === null ? addr : `${addr.includes(":") && !addr.startsWith("[") ? `[${addr}]` : addr}:${port}`);
    const keyFiles = [...(openssh.authorizedKeysInHomedir ? ["%h/.ssh/authorized_keys"] : []), "/etc/ssh/authorized_keys.d/%u", ...openssh.authorizedKeysFiles];
    // The first value of a keyword counts, and what follows a Match block belongs to it: so extraConfig is the end.
    const sshdConfig = pkgs.writeText(
      "sshd_config",
      [
        ...ports.map((port) => `Port ${port}`),
        ...listenAddresses.map(({ addr, port }) => `ListenAddress ${address(addr, port)}`),
        ...hostKeys.map(({ path }) => `HostKey ${path}`),
        ...(openssh.allowSFTP ? [`Subsystem sftp ${["/usr/lib/openssh/sftp-server", ...openssh.sftpFlags].join(" ")}`] : []),
        `AuthorizedKeysFile ${keyFiles.join(" ")}`,
        ...(openssh.authorizedKeysCommand === null ? [] : [`AuthorizedKeysCommand ${openssh.authorizedKeysCommand}`, `AuthorizedKeysCommandUser ${openssh.authorizedKeysCommandUser}`]),
        ...(openssh.banner === null ? [] : [`Banner ${pkgs.writeText("ssh-banner", openssh.banner)}`]),
        ...sshdSettings(settings),
        openssh.extraConfig,
      ].join("\n") + "\n",
    );
    const keygen = hostKeys.map(
      ({ type, path, bits, comment }) => `if ! [ -s "${path}" ]; then
  [ -h "${path}" ] || rm -f "${path}"
  mkdir -p "$(dirname "${path}")"
  chmod 0755 "$(dirname "${path}")"
  ssh-keygen -q -t ${type} ${bits === null ? "" : `-b ${bits} `}${comment === null ? "" : `-C "${comment}" `}-f "${path}" -N ""
fi
`,
    );
    return {
      services: {
        openssh: {
          settings: {
            AddressFamily: lib.mkDefault("any"),
            LogLevel: lib.mkDefault("INFO"),
            UsePAM: lib.mkDefault(true),
            UseDns: lib.mkDefault(false),
            StrictModes: lib.mkDefault(true),
            GatewayPorts: lib.mkDefault("no"),
            PermitRootLogin: lib.mkDefault("prohibit-password"),
            PasswordAuthentication: lib.mkDefault(true),
            KbdInteractiveAuthentication: lib.mkDefault(true),
            X11Forwarding: lib.mkDefault(false),
            PrintMotd: lib.mkDefault(false),
          },
        },
      },
      system: { os: { packages: ["openssh-server", "openssh-sftp-server"] } },
      users: {
        users: { sshd: { isSystemUser: true, group: "sshd", home: "/run/sshd", description: "SSH privilege separation" } },
        groups: { sshd: {} },
      },
      networking: { firewall: { allowedTCPPorts: openssh.openFirewall ? [...ports, ...listenAddresses.flatMap(({ port }) => port ?? [])] : [] } },
      environment: {
        etc: { "ssh/sshd_config": { source: sshdConfig } },
      },
      systemd: {
        services: {
          // The OS root has a unit of this name, for a first boot alone; an empty condition and command take its own back.
          "sshd-keygen": {
            description: "SSH host keys",
            unitConfig: { ConditionFileNotEmpty: ["", ...hostKeys.map(({ path }) => `|!${path}`)] },
            serviceConfig: { Type: "oneshot", ExecStart: hostKeys.length === 0 ? ["", "/usr/bin/true"] : ["", pkgs.writeShellScript("sshd-keygen", `set -e\n${keygen.join("")}`)] },
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
      assertions: [
        { assertion: ports.length > 0 || listenAddresses.some(({ port }) => port !== null), message: "services.openssh.ports is empty, and no listenAddresses has a port: the server would listen on 22 although nothing says so" },
        ...hostKeys.map(({ type, bits, path }) => ({
          assertion: bits === null || (type === "rsa" ? bits >= 1024 && bits <= 16384 : type === "ecdsa" && [256, 384, 521].includes(bits)),
          message: `services.openssh.hostKeys: "${path}" has bits = ${bits}; ${type === "rsa" ? "rsa keys have 1024 to 16384" : type === "ecdsa" ? "ecdsa keys have 256, 384 or 521" : "ed25519 keys have one length, so leave bits out"}`,
        })),
      ],
    };
  },
});
