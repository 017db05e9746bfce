import { defineModule, defineOptions, option, types } from "../../core/index.ts";
import { LOGIN_PATH } from "../config/system-path.ts";

const TAGS = [
  "NOPASSWD", "PASSWD", "NOEXEC", "EXEC", "SETENV", "NOSETENV", "LOG_INPUT", "NOLOG_INPUT", "LOG_OUTPUT", "NOLOG_OUTPUT",
  "FOLLOW", "NOFOLLOW", "MAIL", "NOMAIL", "INTERCEPT", "NOINTERCEPT",
] as const;

const command = types.either(
  types.singleLineStr,
  types.submodule({
    options: {
      command: option(types.singleLineStr, { description: "The program, with arguments where only these are allowed, or ALL." }),
      options: option(types.listOf(types.enum(TAGS)), { default: [], description: "Tags of the command." }),
    },
  }),
);

/** A name or a number; sudoers writes the number of a user as `#1000`, that of a group as `%#100`. */
const account = types.either(types.strMatching(/[^\s,:=()"\\#%!]+/), types.ints.unsigned);

const options = defineOptions({
  security: {
    sudo: {
      enable: option(types.bool, { default: true, description: "Whether users may run commands as others with sudo." }),
      wheelNeedsPassword: option(types.bool, { default: true, description: "Whether members of `wheel` give their password." }),
      execWheelOnly: option(types.bool, { default: false, description: "Whether only members of `wheel` may run the program at all." }),
      defaultOptions: option(types.listOf(types.enum(TAGS)), { default: ["SETENV"], description: "Tags of the rules for root and `wheel`." }),
      extraRules: option(
        types.listOf(
          types.submodule({
            options: {
              users: option(types.listOf(account), { default: [], description: "Users the rule is for, by name or number." }),
              groups: option(types.listOf(account), { default: [], description: "Groups the rule is for, by name or number." }),
              host: option(types.strMatching(/[^\s=]+/), { default: "ALL", description: "The machine it holds on." }),
              runAs: option(types.strMatching(/[^()\n]*/), { default: "ALL:ALL", description: "USER:GROUP that the commands may run as." }),
              commands: option(types.listOf(command), { description: "What may be run.", example: ["ALL"] }),
            },
          }),
        ),
        { default: [], description: "Rules of /etc/sudoers; a later one wins.", example: [{ groups: ["backup"], commands: ["/run/current-system/sw/bin/rsync"] }] },
      ),
      extraConfig: option(types.lines, { default: "", description: "Further lines of /etc/sudoers." }),
    },
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "security/sudo": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config, lib, pkgs }) => {
    const { enable, wheelNeedsPassword, execWheelOnly, defaultOptions, extraRules, extraConfig } = config.security.sudo;
    if (!enable) return {};
    const lines = extraRules.flatMap((rule) => {
      if (rule.commands.length === 0) return [];
      const what = rule.commands.map((entry) => (typeof entry === "string" ? entry : `${entry.options.map((tag) => `${tag}:`).join("")}${entry.options.length > 0 ? " " : ""}${entry.command}`)).join(", ");
      const who = [...rule.users.map((user) => (typeof user === "number" ? `#${user}` : user)), ...rule.groups.map((group) => (typeof group === "number" ? `%#${group}` : `%${group}`))];
      return who.map((one) => `${one} ${rule.host}=(${rule.runAs}) ${what}\n`);
    });
    const sudoers = `# Made by tsos from security.sudo.
Defaults secure_path="${LOGIN_PATH}"
Defaults env_keep+="TERMINFO_DIRS TERMINFO"
${lines.join("")}${extraConfig === "" || extraConfig.endsWith("\n") ? extraConfig : `${extraConfig}\n`}`;
    return {
      security: {
        sudo: {
          // Before all others, which so win.
          extraRules: lib.mkBefore([
            { users: ["root"], commands: [{ command: "ALL", options: defaultOptions }] },
            { groups: ["wheel"], commands: [{ command: "ALL", options: [...(wheelNeedsPassword ? [] : (["NOPASSWD"] as const)), ...defaultOptions] }] },
          ]),
        },
        wrappers: {
          sudo: { source: "/usr/bin/sudo", owner: "root", group: execWheelOnly ? "wheel" : "root", setuid: true, permissions: execWheelOnly ? "u+rx,g+x" : "u+rx,g+x,o+x" },
        },
      },
      system: { os: { packages: ["sudo"] } },
      environment: { etc: { sudoers: { source: pkgs.writeText("sudoers", sudoers), mode: "0440" } } },
      assertions: extraRules.flatMap((rule) => [
        { assertion: rule.users.length + rule.groups.length > 0, message: `security.sudo.extraRules: the rule for ${commandsOf(rule)} is for nobody; give it users or groups` },
        ...rule.commands.map((entry) => {
          const text = typeof entry === "string" ? entry : entry.command;
          return {
            assertion: /^!?((sha(224|256|384|512):\S+[ ,]+)*(\/|[A-Z][A-Z0-9_]*$)|sudoedit(\s|$)|list$)/.test(text),
            message: `security.sudo.extraRules: "${text}" is no command of sudoers; give the program's whole path, such as "/usr/bin/systemctl restart nginx.service", or "ALL"`,
          };
        }),
        ...(execWheelOnly
          ? [
              {
                assertion: rule.groups.every((group) => group === "wheel") && rule.users.every((user) => user === "root" || Object.values(config.users.users).some((one) => one.name === user && (one.group === "wheel" || one.extraGroups.includes("wheel")))),
                message: `security.sudo.execWheelOnly: the rule of extraRules for ${commandsOf(rule)} is for others than members of wheel, who could not run sudo`,
              },
            ]
          : []),
      ]),
    };
  },
});

/** A rule's commands, for people. */
function commandsOf(rule: { readonly commands: readonly (string | { readonly command: string })[] }): string {
  return rule.commands.map((entry) => `"${typeof entry === "string" ? entry : entry.command}"`).join(", ");
}
