import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Derivation } from "../derivation/derivation.ts";
import { parseDerivation } from "../derivation/parse-derivation.ts";
import type { LocalStore } from "../store/store.ts";
import { isDerivationPath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { fromByteString } from "../util/bytes.ts";
import { isFixedOutput } from "./builder-environment.ts";
import { derivationAttribute, derivationList } from "./derivation-attributes.ts";

/**
 * From where fixed outputs came. A fixed output's path follows from its hash alone, so who writes a new URL beside a hash
 * that is known already gets the old contents, and nothing ever looks at the URL; a reviewer who builds it believes that
 * it was. So each fetch is recorded, and a URL that was never fetched is said.
 */

/** The derivation's own URLs, without names and passwords in them. */
export function sourceUrls(derivation: Derivation): readonly string[] {
  if (!isFixedOutput(derivation)) return [];
  const url = derivationAttribute(derivation, "url");
  const urls = [...(typeof url === "string" ? [url] : []), ...(derivationList(derivation, "urls") ?? [])].map(decode).filter((text) => text !== "");
  return [...new Set(urls.map((text) => text.replace(/^([a-z0-9+.-]+:\/\/)[^/@]*@/i, "$1")))];
}

function decode(text: string): string {
  try {
    return fromByteString(text).trim();
  } catch {
    return text;
  }
}

const recordOf = (store: LocalStore, output: StorePath): string => `${store.stateDir}/tsos-sources/${output}`;

/** After it was built, or built again and found equal. */
export function recordFetch(store: LocalStore, derivation: Derivation, output: StorePath): void {
  const urls = sourceUrls(derivation);
  if (urls.length === 0 || store.readOnly) return;
  const file = recordOf(store, output);
  mkdirSync(`${store.stateDir}/tsos-sources`, { recursive: true, mode: 0o755 });
  const known = readRecord(file) ?? [];
  writeFileSync(`${file}.tmp-${process.pid}`, [...new Set([...known, ...urls])].map((url) => `${JSON.stringify(url)}\n`).join(""));
  renameSync(`${file}.tmp-${process.pid}`, file);
}

function readRecord(file: string): readonly string[] | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return text.split("\n").filter((line) => line !== "").map((line) => String(JSON.parse(line)));
}

/**
 * Where a valid output's contents are known to come from, if that is nowhere that this derivation names; undefined where
 * they agree, or nothing is known (a path that a cache gave).
 */
export async function findOtherSource(store: LocalStore, drvPath: StorePath, derivation: Derivation, output: StorePath): Promise<readonly string[] | undefined> {
  const asked = sourceUrls(derivation);
  if (asked.length === 0) return undefined;
  const known = readRecord(recordOf(store, output)) ?? (await urlsOfDeriver(store, drvPath, output));
  return known.length === 0 || known.some((url) => asked.includes(url)) ? undefined : known;
}

/** Of outputs that were made before there were records. */
async function urlsOfDeriver(store: LocalStore, drvPath: StorePath, output: StorePath): Promise<readonly string[]> {
  const deriver = (await store.findPathInfo(output))?.deriver;
  if (deriver === undefined || deriver === drvPath || !isDerivationPath(deriver) || !(await store.isValidPath(deriver))) return [];
  return sourceUrls(parseDerivation(readFileSync(store.realPath(deriver)), storePathName(deriver).slice(0, -".drv".length), store.storeDir));
}
