import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  environment: {
    etc: option(
      types.attrsOf(
        types.submodule({
          options: {
            enable: option(types.bool, { default: true, description: "Whether the file is there." }),
            target: option(types.nullOr(types.str), { default: null, description: "Its path below /etc, where that is not the attribute's name." }),
            text: option(types.nullOr(types.lines), { default: null, description: "Its contents." }),
            source: option(types.nullOr(types.path), { default: null, description: "The file or folder that it shows; wins over `text`." }),
            mode: option(types.strMatching(/^(symlink|0?[0-7]{3,4})$/), {
              default: "symlink",
              description: "`symlink` makes a link into the store; an octal mode makes a copy with that mode.",
              example: "0440",
            }),
            user: option(types.str, { default: "root", description: "The owner of a copy: a name or a number." }),
            group: option(types.str, { default: "root", description: "The group of a copy: a name or a number." }),
          },
        }),
      ),
      {
        default: {},
        description: "Files below /etc, by their path.",
        example: { "motd": { text: "Welcome\n" } },
      },
    ),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/etc": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config }) => ({
    assertions: Object.entries(config.environment.etc)
      .filter(([, file]) => file.enable)
      .flatMap(([name, file]) => [
        { assertion: file.source !== null || file.text !== null, message: `environment.etc."${name}" needs "text" or "source"` },
        {
          assertion: isBelowEtc(file.target ?? name),
          message: `environment.etc."${name}": "${file.target ?? name}" is not a path below /etc; write it relative and without "." or ".."`,
        },
      ]),
  }),
});

function isBelowEtc(target: string): boolean {
  return target !== "" && !target.startsWith("/") && target.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
