import { fileURLToPath } from "node:url";
import type { FetchSettings } from "../fetch/fetch-settings.ts";
import { BinaryCache } from "./binary-cache.ts";
import type { CacheTransport } from "./cache-transport.ts";
import { parseCacheUrl, type CacheUrl } from "./cache-url.ts";
import type { LookupCache } from "./lookup-cache.ts";

export type OpenCacheOptions = {
  readonly settings: FetchSettings;
  /** For credentials of buckets. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly storeDir?: string | undefined;
  readonly lookups?: LookupCache | undefined;
};

/**
 * The binary cache at a URL; nothing is asked of it yet.
 *
 * @throws TsosError `cache.bad-url`, `cache.no-credentials`
 * @example await openBinaryCache("https://cache.example.org?priority=10", { settings, environment: process.env })
 */
export async function openBinaryCache(text: string, options: OpenCacheOptions): Promise<BinaryCache> {
  const url = parseCacheUrl(text);
  const transport = await openTransport(url, options);
  // A folder answers as fast as what is remembered of it.
  return new BinaryCache({ url, transport, storeDir: options.storeDir, lookups: url.scheme === "file" ? undefined : options.lookups });
}

async function openTransport(url: CacheUrl, { settings, environment }: OpenCacheOptions): Promise<CacheTransport> {
  if (url.scheme === "file") {
    const { createFileTransport } = await import("./file-transport.ts");
    return createFileTransport(fileURLToPath(url.address).replace(/(?<=.)\/+$/, ""));
  }
  const { createHttpTransport } = await import("./http-transport.ts");
  if (url.scheme !== "s3") return createHttpTransport(url.address, { settings });
  const { findS3 } = await import("./s3.ts");
  const { address, authorize } = await findS3(url, environment);
  return createHttpTransport(address, { settings, authorize });
}
