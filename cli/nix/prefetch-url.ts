import { chmodSync } from "node:fs";
import { basename, join } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { fetchToFile } from "../../core/fetch/fetch-to-file.ts";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";
import { unpackArchive } from "../../core/fetch/source/unpack-archive.ts";
import { equalHashes, formatHash, type Hash } from "../../core/hash/hash.ts";
import type { HashAlgorithm } from "../../core/hash/hash-algorithm.ts";
import { contentHashOfPath } from "../../core/store/content-hash.ts";
import { makeFixedOutputPath } from "../../core/store-path/make-store-path.ts";
import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { fromByteString, toByteString } from "../../core/util/bytes.ts";
import { temporaryFolder } from "./build.ts";
import { partialFolder } from "../build-options.ts";
import { ClassicUsageError, parseClassicArguments } from "./classic-arguments.ts";
import { sayEvaluationError } from "./evaluate.ts";
import { evaluationSettings } from "./evaluation-settings.ts";
import { parseAlgorithm, parseAny } from "./hash.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { openNixStore } from "./open-store.ts";
import { locateStore } from "./store-location.ts";

/** `nix-prefetch-url`: fetches into the store and prints the hash. Nix: src/nix/prefetch.cc */
export async function prefetchUrl(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const { env } = environment;
  let algorithm: HashAlgorithm = "sha256";
  let printPath = env["PRINT_PATH"] === "1";
  let attribute: string | undefined;
  let unpack = false;
  let executable = false;
  let name: string | undefined;
  const options = parseClassicArguments(args, env, environment.warn, (argument, value) => {
    switch (argument) {
      case "--type":
        algorithm = parseAlgorithm(value());
        return true;
      case "--print-path":
        printPath = true;
        return true;
      case "--attr":
      case "-A":
        attribute = value();
        return true;
      case "--unpack":
        unpack = true;
        return true;
      case "--executable":
        executable = true;
        return true;
      case "--name":
        name = value();
        return true;
      default:
        return false;
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  const { words } = options;
  if (words.length > 2) throw new ClassicUsageError("too many arguments");
  const storeOptions = locateStore(env, environment.uid, options.storeUrl);
  let url = words[0];
  if (attribute !== undefined) {
    await using session = environment.openEvaluation();
    const job = { kind: "source", sources: [{ kind: "file", path: toByteString(words[0] ?? ".") }], attributePaths: [toByteString(attribute)], autoArguments: [...options.autoArguments.values()] } as const;
    const end = await session.run(evaluationSettings(options, storeOptions, env, true), job, () => Promise.reject(new TsosError({ code: "nix.read-only", message: "the source's attributes need the store" })), async () => undefined);
    sayEvaluationError(environment, end);
    if (end.status !== 0 || end.source === undefined) return end.status;
    url = fromByteString(end.source.url);
    if (end.source.hashMode === undefined) environment.say("warning: this does not look like a fetchurl call");
    else unpack = end.source.hashMode === "recursive";
    name ??= end.source.name === undefined ? undefined : fromByteString(end.source.name);
  }
  if (url === undefined) throw new ClassicUsageError("you must specify a URL");
  const expected = words[1] === undefined ? undefined : parseAny(words[1], algorithm);
  const address = url;
  const storeName = name ?? basename(url);
  if (storeName === "") throw new TsosError({ code: "nix.no-name", message: `cannot figure out file name for '${url}'` });

  await using opened = openNixStore(storeOptions, options.settings);
  const store = await opened.open();
  const method = unpack || executable ? "nar" : "flat";
  const known = expected === undefined ? undefined : makeFixedOutputPath({ name: storeName, method, hash: expected, storeDir: store.storeDir });
  let path: StorePath;
  let found: Hash;
  if (known !== undefined && expected !== undefined && (await store.isValidPath(known))) [path, found] = [known, expected];
  else {
    using folder = temporaryFolder("nix-prefetch-url");
    const file = join(folder.path, "tmp");
    const settings = { ...(await loadFetchSettings({ env })), partialFolder: partialFolder(store) };
    const { resolveUrls } = await import("../../core/fetch/resolve-urls.ts");
    await environment.whileBuilding(() => fetchToFile(resolveUrls(address, settings), file, { settings, signal: environment.signal }));
    let source = file;
    if (executable) chmodSync(file, 0o700);
    if (unpack) {
      const target = join(folder.path, "unpacked");
      source = (await unpackArchive(file, target, { signal: environment.signal })).root;
    }
    found = await contentHashOfPath(source, method, algorithm, { signal: environment.signal });
    if (expected !== undefined && !equalHashes(expected, found)) throw new TsosError({ code: "nix.hash-mismatch", message: `hash mismatch for '${url}'` });
    path = await store.addPathToStore(storeName, source, { method, algorithm, signal: environment.signal });
  }
  const shown = formatStorePath(path, store.storeDir);
  if (!printPath) environment.say(`path is '${shown}'`);
  environment.print(`${formatHash(found, found.algorithm === "md5" ? "base16" : "nix32", false)}\n${printPath ? `${shown}\n` : ""}`);
  return 0;
}
