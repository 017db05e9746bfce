import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  security: {
    pam: {
      services: option(
        types.attrsOf(
          types.submodule({
            options: {
              text: option(types.lines, { description: "The service's file in /etc/pam.d." }),
            },
          }),
        ),
        { default: {}, description: "PAM services, by name.", example: { cron: { text: "@include common-auth" } } },
      ),
    },
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "security/pam": typeof options;
  }
}

/** What Debian's pam-auth-update makes of its profiles for passwords of this machine and logind's sessions. */
const COMMON = {
  "common-auth": `auth [success=1 default=ignore] pam_unix.so nullok
auth requisite pam_deny.so
auth required pam_permit.so
`,
  "common-account": `account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
`,
  "common-password": `password [success=1 default=ignore] pam_unix.so obscure yescrypt
password requisite pam_deny.so
password required pam_permit.so
`,
  "common-session": `session [default=1] pam_permit.so
session requisite pam_deny.so
session required pam_permit.so
session required pam_unix.so
session optional pam_systemd.so
`,
  "common-session-noninteractive": `session [default=1] pam_permit.so
session requisite pam_deny.so
session required pam_permit.so
session required pam_unix.so
`,
};

const includes = (...parts: readonly string[]): string => parts.map((part) => `@include common-${part}\n`).join("");
const ENV = "session required pam_env.so readenv=1\n";
const ROOT_MAY = "auth sufficient pam_rootok.so\n";

const SERVICES: Readonly<Record<string, string>> = {
  ...COMMON,
  login: `auth optional pam_faildelay.so delay=3000000\n${ENV}${includes("auth", "account", "session", "password")}session optional pam_keyinit.so force revoke\n`,
  sshd: `${includes("auth", "account")}account required pam_nologin.so\n${includes("session")}session optional pam_keyinit.so force revoke\n${ENV}${includes("password")}`,
  su: `${ROOT_MAY}${ENV}${includes("auth", "account", "session")}`,
  "su-l": `${ROOT_MAY}${ENV}${includes("auth", "account", "session")}`,
  sudo: `${ENV}${includes("auth", "account", "session-noninteractive")}`,
  "sudo-i": `${ENV}${includes("auth", "account", "session")}`,
  passwd: includes("password"),
  chpasswd: includes("password"),
  newusers: includes("password"),
  chfn: `${ROOT_MAY}${includes("auth", "account", "session")}`,
  chsh: `auth required pam_shells.so\n${ROOT_MAY}${includes("auth", "account", "session")}`,
  runuser: `${ROOT_MAY}session optional pam_keyinit.so revoke\nsession required pam_limits.so\nsession required pam_unix.so\n`,
  "runuser-l": `${ROOT_MAY}session optional pam_keyinit.so force revoke\nsession required pam_limits.so\nsession required pam_unix.so\nsession optional pam_systemd.so\n`,
  "systemd-user": `${includes("account")}session optional pam_keyinit.so force revoke\nsession required pam_limits.so\n${includes("session-noninteractive")}session optional pam_systemd.so\n`,
  other: includes("auth", "account", "password", "session"),
};

export default defineModule({
  options,
  config: ({ config, lib }) => ({
    security: { pam: { services: Object.fromEntries(Object.entries(SERVICES).map(([name, text]) => [name, { text: lib.mkDefault(text) }])) } },
    environment: {
      etc: {
        ...Object.fromEntries(Object.entries(config.security.pam.services).map(([name, service]) => [`pam.d/${name}`, { text: service.text }])),
        "security/limits.conf": { text: "" },
        "security/pam_env.conf": { text: "" },
        "security/access.conf": { text: "" },
      },
    },
    assertions: Object.keys(config.security.pam.services).map((name) => ({
      assertion: /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(name),
      message: `security.pam.services.${JSON.stringify(name)}: "${name}" cannot be the name of a PAM service`,
    })),
  }),
});
