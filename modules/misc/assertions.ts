import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  assertions: option(
    types.listOf(
      types.submodule({
        options: {
          assertion: option(types.bool, { description: "What must hold." }),
          message: option(types.str, { description: "What is wrong when it does not, and how to mend it." }),
        },
      }),
    ),
    {
      internal: true,
      default: [],
      description: "What must hold of the configuration; all that do not are shown at once, and nothing is built.",
      example: [{ assertion: false, message: "you can't enable this for that reason" }],
    },
  ),
  warnings: option(types.listOf(types.str), { internal: true, default: [], description: "What whoever evaluates the configuration is told." }),
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "misc/assertions": typeof options;
  }
}

export default defineModule({ options });
