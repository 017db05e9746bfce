import { TsosError } from "../error/tsos-error.ts";
import type { FetchSettings } from "./fetch-settings.ts";

/**
 * The URLs to try for `url`, in order: itself, or for `mirror://NAME/path` one a mirror of that name.
 *
 * @example
 * resolveUrls("mirror://debian/pool/x.deb", { mirrors: { debian: ["http://a.example/debian"] } })
 * // ["http://a.example/debian/pool/x.deb"]
 *
 * @throws TsosError `fetch.no-mirror` when no mirror has that name.
 */
export function resolveUrls(url: string, settings: Pick<FetchSettings, "mirrors">): readonly string[] {
  const match = /^mirror:\/\/([^/]+)\/(.*)$/.exec(url);
  if (match === null) return [url];
  const [, name, path] = match;
  const bases = settings.mirrors[name!] ?? [];
  if (bases.length === 0) {
    throw new TsosError({
      code: "fetch.no-mirror",
      message: `no mirror is known for "${url}", expected one of the name "${name}"`,
      hint: HINTS[name!] ?? `set TSOS_MIRRORS="${name}=URL"`,
      data: { url, mirror: name },
    });
  }
  return bases.map((base) => `${base}/${path}`);
}

const HINTS: Readonly<Record<string, string>> = {
  debian: `apt's sources name none (a URL that ends in /debian); set TSOS_MIRRORS="debian=http://HOST/debian"`,
  npm: `npm's configuration was not found; set TSOS_MIRRORS="npm=https://HOST"`,
};
