import { lib as tsosLib } from "../../../core/option/lib.ts";
import type { NixosModule, NixosModuleArguments } from "../../../core/package/define-nixos-system.ts";

/** The same machine, written in both languages. */
export type SystemPair = { readonly typescript: readonly NixosModule[]; readonly nix: string };

type Set = Readonly<Record<string, unknown>>;

/** A tree without the package set of Haskell has no shellcheck. */
const withoutShellcheck: NixosModule = {
  nixpkgs: {
    overlays: [
      (final: Set, prev: Set) => ({
        get "shellcheck-minimal"() {
          return { ...(prev["hello"] as object), compiler: { bootstrapAvailable: false } };
        },
        get shellcheck() {
          return final["shellcheck-minimal"];
        },
      }),
    ],
  },
};
const WITHOUT_SHELLCHECK = "{ nixpkgs.overlays = [ (final: prev: { shellcheck-minimal = prev.hello // { compiler.bootstrapAvailable = false; }; shellcheck = final.shellcheck-minimal; }) ]; }";

const disk: NixosModule = { boot: { loader: { grub: { enable: false } } }, fileSystems: { "/": { device: "/dev/sda1", fsType: "ext4" } }, system: { stateVersion: "26.05" } };
const DISK = '{ boot.loader.grub.enable = false; fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; }; system.stateVersion = "26.05"; }';

export const SYSTEMS: Readonly<Record<string, SystemPair>> = {
  minimal: {
    typescript: [withoutShellcheck, disk, ({ pkgs }) => ({ services: { openssh: { enable: true } }, users: { users: { dev: { isNormalUser: true, extraGroups: ["wheel"] } } }, environment: { systemPackages: [pkgs["git"], pkgs["htop"]] } })],
    nix: `[ ${WITHOUT_SHELLCHECK} ${DISK} ({ pkgs, ... }: { services.openssh.enable = true; users.users.dev = { isNormalUser = true; extraGroups = [ "wheel" ]; }; environment.systemPackages = [ pkgs.git pkgs.htop ]; }) ]`,
  },
  server: {
    typescript: [
      withoutShellcheck,
      ({ pkgs, lib, config }) => ({
        boot: { loader: { "systemd-boot": { enable: true }, efi: { canTouchEfiVariables: true } } },
        fileSystems: { "/": { device: "/dev/disk/by-label/root", fsType: "ext4" }, "/boot": { device: "/dev/disk/by-label/boot", fsType: "vfat" } },
        networking: { hostName: "web-1", firewall: { allowedTCPPorts: [80, 443] } },
        services: {
          nginx: { enable: true, recommendedProxySettings: true, virtualHosts: { "example.org": { root: "/var/www", locations: { "/api": { proxyPass: "http://127.0.0.1:8080" } } } } },
          postgresql: { enable: true, ensureDatabases: ["app"], ensureUsers: [{ name: "app", ensureDBOwnership: true }] },
          openssh: { enable: true, settings: { PasswordAuthentication: false } },
        },
        systemd: { services: { report: { script: `echo ${config["networking"].hostName}`, serviceConfig: { Type: "oneshot" }, startAt: "hourly" } } },
        environment: { systemPackages: tsosLib.mkAfter([pkgs["git"], pkgs["neovim"], pkgs["htop"]]), etc: { motd: { text: "managed\n" } } },
        time: { timeZone: "Europe/Berlin" },
        system: { stateVersion: "26.05" },
        specialisation: { maintenance: { configuration: { services: { nginx: { enable: lib["mkForce"](false) } } } } },
      }),
    ],
    nix: `[ ${WITHOUT_SHELLCHECK} ({ pkgs, lib, config, ... }: {
      boot.loader = { systemd-boot.enable = true; efi.canTouchEfiVariables = true; };
      fileSystems = { "/" = { device = "/dev/disk/by-label/root"; fsType = "ext4"; }; "/boot" = { device = "/dev/disk/by-label/boot"; fsType = "vfat"; }; };
      networking = { hostName = "web-1"; firewall.allowedTCPPorts = [ 80 443 ]; };
      services.nginx = { enable = true; recommendedProxySettings = true; virtualHosts."example.org" = { root = "/var/www"; locations."/api".proxyPass = "http://127.0.0.1:8080"; }; };
      services.postgresql = { enable = true; ensureDatabases = [ "app" ]; ensureUsers = [ { name = "app"; ensureDBOwnership = true; } ]; };
      services.openssh = { enable = true; settings.PasswordAuthentication = false; };
      systemd.services.report = { script = "echo \${config.networking.hostName}"; serviceConfig.Type = "oneshot"; startAt = "hourly"; };
      environment.systemPackages = lib.mkAfter [ pkgs.git pkgs.neovim pkgs.htop ];
      environment.etc.motd.text = "managed\\n";
      time.timeZone = "Europe/Berlin";
      system.stateVersion = "26.05";
      specialisation.maintenance.configuration.services.nginx.enable = lib.mkForce false;
    }) ]`,
  },
  router: {
    typescript: [
      withoutShellcheck,
      disk,
      ({ lib }) => {
        const lan = { address: "10.1.0.1", prefixLength: 24 };
        const leases = { printer: "10.1.0.20", camera: "10.1.0.21" };
        return {
          boot: { kernel: { sysctl: { "net.ipv4.ip_forward": 1 } } },
          networking: {
            hostName: "gate",
            useNetworkd: true,
            nftables: { enable: true },
            nat: { enable: true, externalInterface: "wan0", internalInterfaces: ["lan0"] },
            interfaces: { lan0: { ipv4: { addresses: [lan] } } },
            firewall: { interfaces: { lan0: { allowedUDPPorts: [53, 67], allowedTCPPorts: [53] } } },
            hosts: Object.fromEntries(Object.entries(leases).map(([name, address]) => [address, [`${name}.home`]])),
          },
          services: {
            resolved: { enable: false },
            dnsmasq: { enable: true, settings: { interface: "lan0", "dhcp-range": [`10.1.0.50,10.1.0.99,12h`], "dhcp-host": Object.entries(leases).map(([name, address]) => `${name},${address}`) } },
          },
          systemd: { timers: { probe: { wantedBy: ["timers.target"], timerConfig: { OnCalendar: "hourly" } } }, services: { probe: { script: lib["concatStringsSep"]("\n", ["set -eu", "ping -c1 10.1.0.20"]) } } },
        };
      },
    ],
    nix: `[ ${WITHOUT_SHELLCHECK} ${DISK} ({ lib, ... }: let leases = { printer = "10.1.0.20"; camera = "10.1.0.21"; }; in {
      boot.kernel.sysctl."net.ipv4.ip_forward" = 1;
      networking = {
        hostName = "gate"; useNetworkd = true; nftables.enable = true;
        nat = { enable = true; externalInterface = "wan0"; internalInterfaces = [ "lan0" ]; };
        interfaces.lan0.ipv4.addresses = [ { address = "10.1.0.1"; prefixLength = 24; } ];
        firewall.interfaces.lan0 = { allowedUDPPorts = [ 53 67 ]; allowedTCPPorts = [ 53 ]; };
        hosts = lib.mapAttrs' (name: address: lib.nameValuePair address [ "\${name}.home" ]) leases;
      };
      services.resolved.enable = false;
      services.dnsmasq = { enable = true; settings = { interface = "lan0"; dhcp-range = [ "10.1.0.50,10.1.0.99,12h" ]; dhcp-host = [ "printer,10.1.0.20" "camera,10.1.0.21" ]; }; };
      systemd.timers.probe = { wantedBy = [ "timers.target" ]; timerConfig.OnCalendar = "hourly"; };
      systemd.services.probe.script = "set -eu\\nping -c1 10.1.0.20";
    }) ]`,
  },
  builder: {
    typescript: [
      withoutShellcheck,
      disk,
      ({ config, pkgs, lib }) => ({
        networking: { hostName: "builder" },
        nix: { settings: { cores: 4, "max-jobs": lib["mkDefault"](2), "trusted-users": ["root", "@builders"], sandbox: true }, gc: { automatic: true, dates: "weekly" }, extraOptions: "keep-outputs = true\n" },
        users: { groups: { builders: {} }, users: { ci: { isSystemUser: true, group: "builders", shell: pkgs["bashInteractive"] } } },
        environment: { systemPackages: [pkgs["hello"].overrideAttrs((old: Set) => ({ get pname() { return `${String(old["pname"])}-ci`; }, doCheck: false })), (pkgs["git"].override as (change: object) => unknown)({ withManual: false })], etc: { "builder.json": { text: lib["toJSON"]({ jobs: 2, name: config["networking"].hostName }) } } },
        services: { openssh: { enable: true, extraConfig: "AllowGroups builders\n" } },
        assertions: [{ assertion: config["services"].openssh.enable, message: "builders are reached by ssh" }],
      }),
    ],
    nix: `[ ${WITHOUT_SHELLCHECK} ${DISK} ({ config, pkgs, lib, ... }: {
      networking.hostName = "builder";
      nix = { settings = { cores = 4; max-jobs = lib.mkDefault 2; trusted-users = [ "root" "@builders" ]; sandbox = true; }; gc = { automatic = true; dates = "weekly"; }; extraOptions = "keep-outputs = true\\n"; };
      users.groups.builders = { };
      users.users.ci = { isSystemUser = true; group = "builders"; shell = pkgs.bashInteractive; };
      environment.systemPackages = [ (pkgs.hello.overrideAttrs (old: { pname = "\${old.pname}-ci"; doCheck = false; })) (pkgs.git.override { withManual = false; }) ];
      environment.etc."builder.json".text = builtins.toJSON { jobs = 2; name = config.networking.hostName; };
      services.openssh = { enable = true; extraConfig = "AllowGroups builders\\n"; };
      assertions = [ { assertion = config.services.openssh.enable; message = "builders are reached by ssh"; } ];
    }) ]`,
  },
  workstation: {
    typescript: [
      withoutShellcheck,
      disk,
      ({ config, pkgs, lib }) => ({
        networking: { hostName: "desk", networkmanager: { enable: true } },
        i18n: { defaultLocale: "de_DE.UTF-8" },
        console: { keyMap: "de" },
        services: { pipewire: { enable: true, alsa: { enable: true }, pulse: { enable: true } }, printing: { enable: true } },
        security: { rtkit: { enable: true } },
        fonts: { packages: [pkgs["dejavu_fonts"]] },
        programs: { bash: { shellAliases: { ll: "ls -l" } }, git: { enable: true, config: { init: { defaultBranch: "main" } } } },
        users: { users: { ada: { isNormalUser: true, extraGroups: ["wheel", ...(config["networking"].networkmanager.enable ? ["networkmanager"] : [])], packages: [pkgs["jq"]] } } },
        systemd: { user: { services: { notes: { wantedBy: ["default.target"], serviceConfig: { ExecStart: `${pkgs["coreutils"]}/bin/sleep infinity` } } } } },
        specialisation: { quiet: { configuration: { services: { printing: { enable: lib["mkForce"](false) } } } } },
      }),
    ],
    nix: `[ ${WITHOUT_SHELLCHECK} ${DISK} ({ config, pkgs, lib, ... }: {
      networking.hostName = "desk";
      networking.networkmanager.enable = true;
      i18n.defaultLocale = "de_DE.UTF-8";
      console.keyMap = "de";
      services.pipewire = { enable = true; alsa.enable = true; pulse.enable = true; };
      services.printing.enable = true;
      security.rtkit.enable = true;
      fonts.packages = [ pkgs.dejavu_fonts ];
      programs.bash.shellAliases.ll = "ls -l";
      programs.git = { enable = true; config.init.defaultBranch = "main"; };
      users.users.ada = { isNormalUser = true; extraGroups = [ "wheel" ] ++ lib.optional config.networking.networkmanager.enable "networkmanager"; packages = [ pkgs.jq ]; };
      systemd.user.services.notes = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "\${pkgs.coreutils}/bin/sleep infinity"; };
      specialisation.quiet.configuration.services.printing.enable = lib.mkForce false;
    }) ]`,
  },
  monitor: {
    typescript: [
      withoutShellcheck,
      disk,
      ({ lib, pkgs }) => {
        const page = (name: string, port: number) => ({ [`page-${name}`]: { wantedBy: ["multi-user.target"], serviceConfig: { ExecStart: `${pkgs["python3"]}/bin/python3 -m http.server ${port}`, DynamicUser: true } } });
        return {
          networking: { hostName: "monitor", wireguard: { interfaces: { wg0: { ips: ["10.9.0.1/24"], privateKeyFile: "/run/keys/wg", peers: [{ publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", allowedIPs: ["10.9.0.2/32"] }] } } } },
          systemd: { services: { ...page("wiki", 8002), ...page("shop", 8003) } },
          services: { prometheus: { enable: true, exporters: { node: { enable: true } }, scrapeConfigs: [{ job_name: "node", static_configs: [{ targets: ["127.0.0.1:9100"] }] }] } },
          boot: { kernelModules: lib["mkBefore"](["tun"]) },
        };
      },
    ],
    nix: `[ ${WITHOUT_SHELLCHECK} ${DISK} ({ lib, pkgs, ... }: let page = name: port: { "page-\${name}" = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "\${pkgs.python3}/bin/python3 -m http.server \${toString port}"; DynamicUser = true; }; }; }; in {
      networking.hostName = "monitor";
      networking.wireguard.interfaces.wg0 = { ips = [ "10.9.0.1/24" ]; privateKeyFile = "/run/keys/wg"; peers = [ { publicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="; allowedIPs = [ "10.9.0.2/32" ]; } ]; };
      systemd.services = page "wiki" 8002 // page "shop" 8003;
      services.prometheus = { enable = true; exporters.node.enable = true; scrapeConfigs = [ { job_name = "node"; static_configs = [ { targets = [ "127.0.0.1:9100" ]; } ]; } ]; };
      boot.kernelModules = lib.mkBefore [ "tun" ];
    }) ]`,
  },
  // Modules within an option's value: a machine in the machine, whose module reads its own configuration.
  containers: {
    typescript: [
      withoutShellcheck,
      disk,
      ({ config }) => ({
        networking: { hostName: "host" },
        containers: {
          web: {
            autoStart: true,
            privateNetwork: true,
            hostAddress: "10.0.0.1",
            localAddress: "10.0.0.2",
            bindMounts: { "/srv": { hostPath: `/srv/${config["networking"].hostName}`, isReadOnly: false } },
            config: ({ config, pkgs }: NixosModuleArguments) => ({
              imports: [withoutShellcheck],
              system: { stateVersion: "26.05" },
              services: { openssh: { enable: true } },
              environment: { systemPackages: [pkgs["htop"]], etc: { motd: { get text() { return `this is ${config["networking"].hostName}\n`; } } } },
            }),
          },
        },
      }),
    ],
    nix: `[ ${WITHOUT_SHELLCHECK} ${DISK} ({ config, ... }: {
      networking.hostName = "host";
      containers.web = {
        autoStart = true; privateNetwork = true; hostAddress = "10.0.0.1"; localAddress = "10.0.0.2";
        bindMounts."/srv" = { hostPath = "/srv/\${config.networking.hostName}"; isReadOnly = false; };
        config = { config, pkgs, ... }: {
          imports = [ ${WITHOUT_SHELLCHECK} ];
          system.stateVersion = "26.05";
          services.openssh.enable = true;
          environment.systemPackages = [ pkgs.htop ];
          environment.etc.motd.text = "this is \${config.networking.hostName}\n";
        };
      };
    }) ]`,
  },
};
