import { COMPRESSIONS, type Compression } from "../compression/compress.ts";
import { TsosError } from "../error/tsos-error.ts";

/** Where a binary cache is and how it is used: Nix's store URL, `https://cache.example.org?priority=10`. */
export type CacheUrl = {
  readonly scheme: "file" | "http" | "https" | "s3";
  /** Without the parameters. */
  readonly address: URL;
  /** Lower is asked first; what the cache itself says where undefined. */
  readonly priority?: number | undefined;
  /** Its paths need no signature. */
  readonly trusted: boolean;
  readonly compression: Compression;
  readonly compressionLevel?: number | undefined;
  /** Beside each description a listing of the archive is written, `HASH.ls`. */
  readonly writeListing: boolean;
  /** Files of secret keys that sign what is added. */
  readonly secretKeyFiles: readonly string[];
  /** Of `s3`. */
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly profile?: string | undefined;
};

const PARAMETERS: readonly string[] = ["priority", "trusted", "compression", "compression-level", "secret-key", "secret-keys", "region", "endpoint", "scheme", "profile", "want-mass-query", "write-nar-listing", "parallel-compression"];

/**
 * @throws TsosError `cache.bad-url`
 * @example parseCacheUrl("file:///srv/cache?compression=gzip")
 */
export function parseCacheUrl(text: string): CacheUrl {
  let address: URL;
  try {
    address = new URL(text);
  } catch {
    throw bad(text, "it is not a URL", "file:///FOLDER, https://HOST/PATH or s3://BUCKET");
  }
  const scheme = address.protocol.slice(0, -1);
  if (scheme !== "file" && scheme !== "http" && scheme !== "https" && scheme !== "s3") throw bad(text, `nothing is known of "${scheme}:"`, "file:///FOLDER, https://HOST/PATH or s3://BUCKET");
  if (scheme === "file" && address.host !== "") throw bad(text, `"${address.host}" stands where no host may be`, `file:///${address.host}${address.pathname}`);
  const parameters = address.searchParams;
  for (const name of parameters.keys()) if (!PARAMETERS.includes(name)) throw bad(text, `"${name}" is no parameter of a cache`, `the parameters are ${PARAMETERS.join(", ")}`);
  const compression = parameters.get("compression") ?? "zstd";
  if (!isCompression(compression)) throw bad(text, `archives cannot be written as "${compression}"`, `compression is one of ${COMPRESSIONS.join(", ")}`);
  const bare = new URL(address);
  bare.search = "";
  bare.hash = "";
  const endpoint = parameters.get("endpoint") ?? undefined;
  return {
    scheme,
    address: bare,
    priority: integer(text, parameters, "priority"),
    trusted: parameters.get("trusted") === "true" || parameters.get("trusted") === "1",
    compression,
    compressionLevel: integer(text, parameters, "compression-level"),
    writeListing: parameters.get("write-nar-listing") === "true" || parameters.get("write-nar-listing") === "1",
    secretKeyFiles: [...parameters.getAll("secret-key"), ...(parameters.get("secret-keys") ?? "").split(",")].filter((file) => file !== ""),
    region: parameters.get("region") ?? undefined,
    endpoint: endpoint === undefined || endpoint.includes("://") ? endpoint : `${parameters.get("scheme") ?? "https"}://${endpoint}`,
    profile: parameters.get("profile") ?? undefined,
  };
}

function isCompression(name: string): name is Compression {
  return (COMPRESSIONS as readonly string[]).includes(name);
}

function integer(text: string, parameters: URLSearchParams, name: string): number | undefined {
  const value = parameters.get(name);
  if (value === null) return undefined;
  if (!/^-?\d{1,9}$/.test(value)) throw bad(text, `${name} is "${value}"`, "a whole number");
  return Number(value);
}

function bad(text: string, problem: string, expected: string): TsosError {
  // What may be a password is not repeated.
  const shown = text.replace(/\/\/[^/@]*@/, "//…@");
  return new TsosError({ code: "cache.bad-url", message: `"${shown}" is no binary cache: ${problem}`, hint: `expected ${expected}`, data: { url: shown } });
}
