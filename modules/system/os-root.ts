import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  system: {
    os: {
      packages: option(types.listOf(types.str), {
        internal: true,
        default: [],
        description: "Debian packages of the OS root, beside what they depend on. Modules add what their services run.",
      }),
      root: option(types.package, { internal: true, readOnly: true, description: "The merged tree whose usr/ is the machine's /usr." }),
    },
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "system/os-root": typeof options;
  }
}

/** Essential packages, which nothing declares as a dependency, and what every machine runs. */
const BASE_PACKAGES = [
  "base-files", "base-passwd", "bash", "bsdutils", "coreutils", "dash", "debianutils", "diffutils", "findutils",
  "grep", "gzip", "hostname", "init-system-helpers", "libc-bin", "login", "mawk", "ncurses-base", "ncurses-bin", "perl-base", "sed",
  "sysvinit-utils", "tar", "util-linux",
  "ca-certificates", "dbus", "iproute2", "iputils-ping", "kmod", "less", "libnss-systemd", "libpam-modules",
  "libpam-modules-bin", "libpam-runtime", "libpam-systemd", "mount", "nano", "netbase", "passwd", "procps", "systemd",
  "systemd-sysv", "tzdata",
];

const OS_RELEASE = `ID=tsos
ID_LIKE=debian
NAME="tsos"
PRETTY_NAME="tsos"
`;

const NSSWITCH = `passwd:    files systemd
group:     files systemd
shadow:    files
gshadow:   files
hosts:     files myhostname dns
networks:  files
protocols: files
services:  files
ethers:    files
rpc:       files
`;

const LOGIN_DEFS = `MAIL_DIR        /var/mail
UMASK           022
UID_MIN         1000
UID_MAX         29999
SYS_UID_MAX     999
GID_MIN         1000
GID_MAX         29999
SYS_GID_MAX     999
ENCRYPT_METHOD  YESCRYPT
USERGROUPS_ENAB yes
CREATE_HOME     yes
ENV_SUPATH      PATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
ENV_PATH        PATH=/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/bin:/usr/bin
`;

const SSH_CONFIG = `Host *
  AddressFamily any
  HashKnownHosts yes
  SendEnv LANG LC_*
`;

/** Units of Debian's packages that have no place on a machine whose files come from a generation. */
const MASKED_UNITS = ["systemd-sysusers", "systemd-firstboot", "ldconfig", "systemd-update-done"];

export default defineModule({
  options,
  config: ({ config, lib, pkgs }) => {
    const root = pkgs.composeOsRoot(config.system.os.packages);
    return {
      system: { os: { packages: BASE_PACKAGES, root } },
      systemd: { services: Object.fromEntries(MASKED_UNITS.map((name) => [name, { enable: false }])) },
      environment: {
        etc: {
          "os-release": { text: OS_RELEASE },
          "nsswitch.conf": { text: NSSWITCH },
          "login.defs": { text: LOGIN_DEFS },
          issue: { text: "\\S \\n \\l\n\n" },
          "host.conf": { text: "multi on\n" },
          services: { source: `${root}/etc/services` },
          protocols: { source: `${root}/etc/protocols` },
          rpc: { source: `${root}/etc/rpc` },
          "ssh/moduli": { source: `${root}/etc/ssh/moduli` },
          "ssh/ssh_config": { text: lib.mkDefault(SSH_CONFIG) },
          "skel/.profile": { text: 'if [ -n "${BASH_VERSION-}" ] && [ -f "$HOME/.bashrc" ]; then . "$HOME/.bashrc"; fi\n' },
          "ssl/certs/ca-certificates.crt": { source: `${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt` },
        },
      },
    };
  },
});
