import { defineModule, defineOptions, option, types } from "../../core/index.ts";
import { TIME_ZONES } from "./time-zones.ts";

const options = defineOptions({
  time: {
    timeZone: option(types.nullOr(types.str), {
      default: null,
      description: "A name of the time zone database; null is UTC, until somebody chooses another with timedatectl.",
      example: "Europe/Berlin",
    }),
  },
  i18n: {
    defaultLocale: option(types.str, {
      default: "C.UTF-8",
      description: "The locale of programs (LANG). The OS root has those that the C library brings itself.",
      example: "C.UTF-8",
    }),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/locale": typeof options;
  }
}

/** What the C library has without an archive of locales. */
const LOCALES = ["C.UTF-8", "C", "POSIX"];

/** The zones that `name` may have meant: its place in another area, or another spelling. */
function similarZones(name: string): readonly string[] {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const place = plain(name.split("/").at(-1)!);
  const zones = [...TIME_ZONES];
  const same = zones.filter((zone) => plain(zone) === plain(name) || plain(zone.split("/").at(-1)!) === place);
  const near = same.length > 0 ? same : zones.filter((zone) => place.length > 3 && plain(zone.split("/").at(-1)!).startsWith(place.slice(0, 4)));
  return near.slice(0, 3);
}

export default defineModule({
  options,
  config: ({ config }) => {
    const { timeZone } = config.time;
    const { defaultLocale } = config.i18n;
    const similar = timeZone === null ? [] : similarZones(timeZone);
    return {
      assertions: [
        {
          assertion: timeZone === null || TIME_ZONES.has(timeZone),
          message: `time.timeZone: there is no time zone "${timeZone}"; ${similar.length > 0 ? `did you mean ${similar.map((zone) => `"${zone}"`).join(" or ")}?` : 'it is an area and a city, such as "Europe/Berlin", or "UTC"'}`,
        },
        {
          assertion: LOCALES.includes(defaultLocale),
          message: `i18n.defaultLocale: the OS root has no locale "${defaultLocale}": its C library brings ${LOCALES.map((name) => `"${name}"`).join(", ")} alone; set i18n.defaultLocale = "C.UTF-8"`,
        },
      ],
    };
  },
});
