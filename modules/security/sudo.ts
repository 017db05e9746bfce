import { defineModule, defineOptions, option, types } from "../../core/index.ts";
import { LOGIN_PATH } from "../config/system-path.ts";

const command = types.either(
  types.str,
  types.submodule({
    options: {
      command: option(types.str, { description: "The program, with arguments where only these are allowed, or ALL." }),
      options: option(types.listOf(types.enum(["NOPASSWD", "PASSWD", "NOEXEC", "EXEC", "SETENV", "NOSETENV", "LOG_INPUT", "NOLOG_INPUT", "LOG_OUTPUT", "NOLOG_OUTPUT"])), {
        default: [],
        description: "Tags of the command.",
      }),
    },
  }),
);

const options = defineOptions({
  security: {
    sudo: {
      enable: option(types.bool, { default: true, description: "Whether users may run commands as others with sudo." }),
      wheelNeedsPassword: option(types.bool, { default: true, description: "Whether members of `wheel` give their password." }),
      execWheelOnly: option(types.bool, { default: false, description: "Whether only members of `wheel` may run the program at all." }),
      extraRules: option(
        types.listOf(
          types.submodule({
            options: {
              users: option(types.listOf(types.str), { default: [], description: "Users the rule is for." }),
              groups: option(types.listOf(types.str), { default: [], description: "Groups the rule is for." }),
              host: option(types.str, { default: "ALL", description: "The machine it holds on." }),
              runAs: option(types.str, { default: "ALL:ALL", description: "USER:GROUP that the commands may run as." }),
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
    const { enable, wheelNeedsPassword, execWheelOnly, extraRules, extraConfig } = config.security.sudo;
    if (!enable) return {};
    const lines = extraRules.flatMap((rule) => {
      const what = rule.commands.map((entry) => (typeof entry === "string" ? entry : `${entry.options.map((tag) => `${tag}:`).join("")}${entry.command}`)).join(", ");
      return [...rule.users, ...rule.groups.map((group) => `%${group}`)].map((who) => `${who} ${rule.host}=(${rule.runAs}) ${what}\n`);
    });
    const sudoers = `# Made by tsos from security.sudo.
Defaults secure_path="${LOGIN_PATH}"
Defaults env_keep+="TERMINFO_DIRS TERMINFO"
root ALL=(ALL:ALL) SETENV: ALL
${lines.join("")}${extraConfig}`;
    return {
      security: {
        sudo: {
          extraRules: lib.mkBefore([{ groups: ["wheel"], commands: [{ command: "ALL", options: wheelNeedsPassword ? ["SETENV"] : ["NOPASSWD", "SETENV"] }] }]),
        },
        wrappers: {
          sudo: { source: "/usr/bin/sudo", owner: "root", group: execWheelOnly ? "wheel" : "root", setuid: true, permissions: execWheelOnly ? "u+rx,g+x" : "u+rx,g+x,o+x" },
        },
      },
      system: { os: { packages: ["sudo"] } },
      environment: { etc: { sudoers: { source: pkgs.writeText("sudoers", sudoers), mode: "0440" } } },
    };
  },
});
