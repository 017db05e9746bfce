import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decompress } from "../../core/compression/decompress.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { FetchSettings } from "../../core/fetch/fetch-settings.ts";
import { fetchToFile } from "../../core/fetch/fetch-to-file.ts";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";
import { resolveUrls } from "../../core/fetch/resolve-urls.ts";
import { parseHash } from "../../core/hash/hash.ts";
import type { Hash } from "../../core/hash/hash.ts";
import { concatBytes, decodeUtf8Lossy } from "../../core/util/bytes.ts";
import type { LockedNpmPackage, LockedSource, SeedLock } from "../../pkgs/seeds/seed-lock.ts";
import { seedRequests } from "../../pkgs/seeds/seed-requests.ts";
import { parseDebianIndex } from "./seeds/debian-index.ts";
import type { DebianStanza } from "./seeds/debian-index.ts";
import { formatSeedLock } from "./seeds/format-seed-lock.ts";
import { resolveSeeds } from "./seeds/resolve-seeds.ts";

// `npm run update-seeds`: renews pkgs/seeds/seeds.lock.json from the mirrors that this machine uses.

const LOCK = fileURLToPath(new URL("../../pkgs/seeds/seeds.lock.json", import.meta.url));

async function updateSeeds(): Promise<void> {
  const settings = await loadFetchSettings();
  const folder = await mkdtemp(join(tmpdir(), "tsos-seeds-"));
  try {
    const { suite, architecture } = seedRequests;
    const fetchText = createTextFetcher(settings, folder);
    const release = await fetchText(`mirror://debian/dists/${suite}/Release`);
    const index = (path: string): Promise<string> =>
      fetchText(`mirror://debian/dists/${suite}/${path}`, findReleaseHash(release, path));
    const [packages, sources] = [await index(`main/binary-${architecture}/Packages.xz`), await index("main/source/Sources.xz")];
    const lock: SeedLock = {
      suite,
      architecture,
      debian: resolveSeeds(parseDebianIndex(packages), seedRequests),
      npm: await lockNpm(fetchText),
      sources: lockSources(parseDebianIndex(sources)),
    };
    const text = formatSeedLock(lock);
    const before = await readFile(LOCK, "utf8").catch(() => "");
    await writeFile(LOCK, text);
    const size = Object.values(lock.debian).reduce((sum, { size }) => sum + size, 0);
    console.log(`${Object.keys(lock.debian).length} Debian packages (${Math.round(size / 1e6)} MB), ${text.length} bytes of lock, ${before === text ? "unchanged" : "renewed"}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

type TextFetcher = (url: string, expectedHash?: Hash) => Promise<string>;

function createTextFetcher(settings: FetchSettings, folder: string): TextFetcher {
  let count = 0;
  return async (url, expectedHash) => {
    const target = join(folder, String(count++));
    await fetchToFile(resolveUrls(url, settings), target, { settings, expectedHash });
    const parts: Uint8Array[] = [];
    for await (const chunk of decompress(url.endsWith(".xz") ? "xz" : "none", createReadStream(target))) parts.push(chunk.slice());
    return decodeUtf8Lossy(concatBytes(parts));
  };
}

/** The hash that a suite's Release file gives for one of its files. */
function findReleaseHash(release: string, path: string): Hash {
  const sums = release.slice(release.indexOf("\nSHA256:"));
  const line = sums.split("\n").find((candidate) => candidate.endsWith(` ${path}`));
  const hash = line === undefined ? undefined : /^ ([0-9a-f]{64}) /.exec(line)?.[1];
  if (hash === undefined) throw new TsosError({ code: "seeds.bad-index", message: `the suite's Release file has no SHA-256 of "${path}"` });
  return parseHash(hash, "sha256");
}

async function lockNpm(fetchText: TextFetcher): Promise<Record<string, LockedNpmPackage>> {
  const result: Record<string, LockedNpmPackage> = {};
  for (const [name, request] of Object.entries(seedRequests.npm)) {
    const document: unknown = JSON.parse(await fetchText(`mirror://npm/${request.package}`));
    const versions = record(record(document)["versions"]);
    const version = Object.keys(versions)
      .filter((candidate) => candidate.startsWith(`${request.line}.`) && /^\d+\.\d+\.\d+$/.test(candidate))
      .sort((a, b) => compareNumbers(a.split("."), b.split(".")))
      .at(-1);
    if (version === undefined) throw new TsosError({ code: "seeds.unknown-package", message: `npm's "${request.package}" has no version ${request.line}.x` });
    const manifest = record(versions[version]);
    const dist = record(manifest["dist"]);
    const bin = typeof manifest["bin"] === "string" ? { [request.package]: manifest["bin"] } : record(manifest["bin"]);
    const file = request.package.replace(/^@[^/]*\//, "");
    result[name] = {
      package: request.package,
      version,
      path: `${request.package}/-/${file}-${version}.tgz`,
      integrity: String(dist["integrity"]),
      bin: Object.fromEntries(Object.entries(bin).map(([program, path]) => [program, String(path).replace(/^\.\//, "")])),
    };
  }
  return result;
}

function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = Number(a[i]) - Number(b[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TsosError({ code: "seeds.bad-index", message: "the registry's answer is not the description of a package" });
  }
  return { ...value };
}

function lockSources(index: ReadonlyMap<string, DebianStanza>): Record<string, LockedSource> {
  return Object.fromEntries(
    seedRequests.sources.map((name) => {
      const stanza = index.get(name);
      const file = /^([0-9a-f]{64}) (\d+) (\S+\.orig\.tar\.\w+)$/m.exec(stanza?.get("Checksums-Sha256") ?? "");
      if (stanza === undefined || file === null) throw new TsosError({ code: "seeds.unknown-package", message: `"${name}" is no source package with one archive` });
      const version = stanza.get("Version")!.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
      return [name, { version, path: `${stanza.get("Directory")!}/${file[3]!}`, size: Number(file[2]), sha256: file[1]! }];
    }),
  );
}

await updateSeeds();
