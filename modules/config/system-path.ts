import { defineModule, defineOptions, option, types } from "../../core/index.ts";
import { shellPath } from "./shell-path.ts";

const options = defineOptions({
  environment: {
    systemPackages: option(types.listOf(types.package), {
      default: [],
      description: "Packages whose programs every user of the machine has.",
      defaultText: "[]",
    }),
    pathsToLink: option(types.listOf(types.strMatching(/\/[^\s]*/)), {
      default: [],
      description: "Folders of the packages, beside the usual ones, that appear in /run/current-system/sw.",
      example: ["/share/fonts"],
    }),
    variables: option(types.attrsOf(types.nullOr(types.oneOf([types.str, types.int, types.path, types.listOf(types.oneOf([types.str, types.int, types.path]))]))), {
      default: {},
      description: "Environment variables of every login; a list is joined by colons, null leaves one out.",
      example: { EDITOR: "nvim" },
    }),
    shellAliases: option(types.attrsOf(types.nullOr(types.singleLineStr)), { default: {}, description: "Short names for commands, in interactive shells.", example: { ll: "ls -l" } }),
    shells: option(types.listOf(types.either(types.shellPackage, types.path)), { default: [], description: "Login shells that users may choose (/etc/shells), beside the OS root's and those that users have." }),
  },
  system: {
    path: option(types.package, { internal: true, readOnly: true, description: "The link farm of environment.systemPackages." }),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/system-path": typeof options;
  }
}

/**
 * What a profile shows of its packages: programs, and what other programs look for by a name of their own. Not /lib:
 * a seed is a closure merged into one path, and two of them hold the same libraries.
 */
const PATHS_TO_LINK = ["/bin", "/sbin", "/etc/xdg", "/share/applications", "/share/bash-completion", "/share/fish", "/share/icons", "/share/info", "/share/man", "/share/zsh"];

/** Setuid programs first, then the machine's packages, then the OS root. */
export const LOGIN_PATH = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

export default defineModule({
  options,
  config: ({ config, pkgs }) => {
    const { systemPackages, pathsToLink, variables, shellAliases } = config.environment;
    const exports = Object.entries(variables).flatMap(([name, value]) => (value === null ? [] : [`export ${name}=${quote(Array.isArray(value) ? value.join(":") : String(value))}\n`]));
    const aliases = Object.entries(shellAliases).flatMap(([name, value]) => (value === null ? [] : [`alias -- ${name}=${quote(value)}\n`]));
    const shells = [
      ...["/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash", "/usr/bin/dash"],
      ...config.environment.shells.map((shell) => shellPath(shell)),
      // Without it, pam_shells and chsh would refuse who has it.
      ...Object.values(config.users.users).flatMap(({ shell }) => (shell === null || shell === "/usr/sbin/nologin" ? [] : [shellPath(shell)])),
    ];
    return {
      system: { path: pkgs.buildEnv({ name: "system-path", paths: systemPackages, pathsToLink: [...PATHS_TO_LINK, ...pathsToLink] }) },
      environment: {
        etc: {
          profile: {
            text: `# Made by tsos from environment.variables; read by login shells.
export PATH="$HOME/.local/bin:/run/wrappers/bin:/etc/profiles/per-user/\${USER:-root}/bin:${LOGIN_PATH.split(":").slice(1).join(":")}"
export XDG_DATA_DIRS="/etc/profiles/per-user/\${USER:-root}/share:/run/current-system/sw/share:/usr/local/share:/usr/share"
${exports.join("")}if [ -n "\${BASH_VERSION-}" ] && [ -f /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi
`,
          },
          "bash.bashrc": {
            text: `# Made by tsos; read by interactive shells.
case $- in *i*) ;; *) return ;; esac
shopt -s checkwinsize
PS1='\\u@\\h:\\w\\$ '
${aliases.join("")}`,
          },
          environment: { text: `PATH=${LOGIN_PATH}\n` },
          shells: { text: [...new Set(shells)].map((shell) => `${shell}\n`).join("") },
        },
      },
      assertions: [
        ...Object.keys(variables).map((name) => ({
          assertion: /^[A-Za-z_][A-Za-z0-9_]*$/.test(name),
          message: `environment.variables.${JSON.stringify(name)}: "${name}" cannot be the name of a variable: letters, digits and "_", no digit first`,
        })),
        ...Object.keys(shellAliases).map((name) => ({
          assertion: /^[A-Za-z0-9_.,!@%^+:-]+$/.test(name),
          message: `environment.shellAliases.${JSON.stringify(name)}: "${name}" cannot be the name of an alias`,
        })),
      ],
    };
  },
});

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
