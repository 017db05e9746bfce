import { defineOptions, option } from "../option/option.ts";
import { defineModule } from "../option/define-module.ts";
import { types } from "../option/types.ts";

/** The options of a dev shell. */
const options = defineOptions({
  name: option(types.nonEmptyStr, {
    default: "shell",
    description: "What the prompt shows, and `IN_TSOS_SHELL` holds.",
    example: "website",
  }),
  packages: option(types.listOf(types.package), {
    default: [],
    description: "Packages whose programs are on `PATH`; of two programs with the same name the first package's is taken.",
    example: ["pkgs.go", "pkgs.gopls"],
  }),
  inputsFrom: option(types.listOf(types.package), {
    default: [],
    description: "Packages whose build inputs the shell has, so that they can be built by hand.",
  }),
  env: option(types.attrsOf(types.nullOr(types.oneOf([types.str, types.int, types.bool, types.package]))), {
    default: {},
    description: "Environment variables. `true` is `1`, `false` the empty text; `null` takes a variable away.",
    example: { EDITOR: "nvim", CGO_ENABLED: 0 },
  }),
  shellHook: option(types.lines, {
    default: "",
    description: "Bash that runs when the shell is entered, after the environment is set.",
    example: "echo welcome",
  }),
});

declare module "../option/registry.ts" {
  interface ShellOptionModules {
    shell: typeof options;
  }
}

/** The modules of every dev shell. */
export const shellModules = [defineModule({ key: "shell", options })] as const;
