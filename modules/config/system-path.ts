import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  environment: {
    systemPackages: option(types.listOf(types.package), {
      default: [],
      description: "Packages whose programs every user of the machine has.",
      defaultText: "[]",
    }),
    pathsToLink: option(types.listOf(types.str), {
      default: [],
      description: "Folders of the packages, beside the usual ones, that appear in /run/current-system/sw.",
      example: ["/share/fonts"],
    }),
    variables: option(types.attrsOf(types.oneOf([types.str, types.int, types.listOf(types.str)])), {
      default: {},
      description: "Environment variables of every login; a list is joined by colons.",
      example: { EDITOR: "nvim" },
    }),
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
 * What a profile shows of its packages: programs and what other programs look for by a name of their own. The
 * libraries of a seed's closure stay in it.
 */
const PATHS_TO_LINK = ["/bin", "/sbin", "/etc/xdg", "/share/applications", "/share/bash-completion", "/share/fish", "/share/icons", "/share/info", "/share/man", "/share/zsh"];

/** Setuid programs first, then the machine's packages, then the OS root. */
export const LOGIN_PATH = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

export default defineModule({
  options,
  config: ({ config, pkgs }) => {
    const { systemPackages, pathsToLink, variables } = config.environment;
    const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quote(Array.isArray(value) ? value.join(":") : String(value))}\n`);
    return {
      system: { path: pkgs.buildEnv({ name: "system-path", paths: systemPackages, pathsToLink: [...PATHS_TO_LINK, ...pathsToLink] }) },
      environment: {
        etc: {
          profile: {
            text: `# Made by tsos from environment.variables; read by login shells.
export PATH="$HOME/.local/bin:${LOGIN_PATH}"
export XDG_DATA_DIRS="/run/current-system/sw/share:/usr/local/share:/usr/share"
${exports.join("")}if [ -n "\${BASH_VERSION-}" ] && [ -f /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi
`,
          },
          "bash.bashrc": {
            text: `# Made by tsos; read by interactive shells.
case $- in *i*) ;; *) return ;; esac
shopt -s checkwinsize
PS1='\\u@\\h:\\w\\$ '
`,
          },
          environment: { text: `PATH=${LOGIN_PATH}\n` },
        },
      },
    };
  },
});

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
