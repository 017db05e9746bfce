import { createReadStream } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decompress, detectCompression } from "../../compression/decompress.ts";
import { TsosError } from "../../error/tsos-error.ts";
import { fetchToFile } from "../../fetch/fetch-to-file.ts";
import { resolveUrls } from "../../fetch/resolve-urls.ts";
import { parseHash } from "../../hash/hash.ts";
import type { Hash } from "../../hash/hash.ts";
import { parseHashAlgorithm } from "../../hash/hash-algorithm.ts";
import type { BuiltinBuilder, BuiltinBuildContext } from "../builtin-builder.ts";
import { getArgument, outputPath } from "./builtin-arguments.ts";
import { readStart } from "./tree/read-elf.ts";
import { toByteString } from "../../util/bytes.ts";

/**
 * Nix's own `builtin:fetchurl`: `url`, and in `urls` further ones, → a file, or with `unpack` the tree of the
 * NAR that it is. `mirror://NAME/…` stands for the mirrors that the settings know. A flat hash is checked
 * while the bytes arrive; other hashes are checked by who registers the output.
 */
export const fetchurl: BuiltinBuilder = async (context) => {
  const { env, settings, signal } = context;
  const out = outputPath(context);
  const listed = (env.get("urls") ?? "").split(/\s+/).filter((url) => url !== "");
  const named = env.get("url") ?? "";
  const urls = named === "" && listed.length > 0 ? listed : [getArgument(context, "url"), ...listed];
  // By `mirror://` the machine names files of its own; a derivation may be anybody's, and an error tells a file's hash.
  if (context.localFiles === false) for (const url of urls) checkNoFile(url);
  const unpack = env.get("unpack") === "1";
  const executable = env.get("executable") === "1";
  const size = env.get("size");
  const target = unpack ? join(context.temporaryFolder, "archive") : out;
  const otherTarget = join(context.temporaryFolder, "other");
  await fetchToFile([...new Set(urls.flatMap((url) => resolveUrls(url, settings)))], target, {
    settings,
    signal,
    // Passwords of this machine are not for a daemon's untrusted client to use.
    useNetrc: context.localFiles !== false,
    expectedHash: unpack || executable ? undefined : findFlatHash(context),
    size: size === undefined || !/^\d+$/.test(size) ? undefined : Number(size),
    otherTarget,
    progress: (done, total) => context.progress(done, total),
  }).catch(async (error: unknown) => {
    // Somebody may have written down the wrong hash.
    if (error instanceof TsosError && error.code === "fetch.hash-mismatch") await rename(otherTarget, out).catch(ignoreAbsence);
    throw error;
  });
  if (unpack) {
    // Loaded where it is used: nearly every download is a plain file.
    const { restorePath } = await import("../../nar/restore-path.ts");
    const bytes = createReadStream(target, { highWaterMark: 256 * 1024 });
    await restorePath(decompress(detectCompression(readStart(toByteString(target))), bytes), out);
    await rm(target);
  } else if (executable) await chmod(out, 0o755);
};

/** A file that was resumed and broken was not copied. */
function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

function checkNoFile(url: string): void {
  if (!/^\s*file:/i.test(url)) return;
  throw new TsosError({ code: "fetch.local-file", message: `"${url}" is a file of this machine, which a build for another user does not read`, hint: "add the file to the store instead", data: { url } });
}

function findFlatHash({ derivation, env }: BuiltinBuildContext): Hash | undefined {
  const output = derivation.outputs.get("out");
  if (output?.kind === "fixed") return output.contentAddress.method === "flat" ? output.contentAddress.hash : undefined;
  const text = env.get("outputHash") ?? "";
  if (text === "" || env.get("outputHashMode") === "recursive") return undefined;
  const algorithm = env.get("outputHashAlgo") ?? "";
  return parseHash(text, algorithm === "" ? undefined : parseHashAlgorithm(algorithm));
}
