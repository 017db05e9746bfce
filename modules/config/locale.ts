import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  time: {
    timeZone: option(types.nullOr(types.strMatching(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/)), {
      default: "UTC",
      description: "A name of the time zone database; null leaves /etc/localtime to whoever runs the machine.",
      example: "Europe/Berlin",
    }),
  },
  i18n: {
    defaultLocale: option(types.strMatching(/^[A-Za-z0-9_.@-]+$/), {
      default: "C.UTF-8",
      description: "The locale of programs (LANG).",
      example: "C.UTF-8",
    }),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/locale": typeof options;
  }
}

export default defineModule({ options });
