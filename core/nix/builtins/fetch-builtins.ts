import { equalHashes, formatHash, parseHash, type Hash } from "../../hash/hash.ts";
import { TsosError } from "../../error/tsos-error.ts";
import { makeFixedOutputPath } from "../../store-path/make-store-path.ts";
import { checkStorePathName } from "../../store-path/store-path-name.ts";
import { isStorePathBaseName, type StorePath } from "../../store-path/store-path.ts";
import { toByteString, type ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { evaluateFlake } from "../flake/evaluate-flake.ts";
import { treeAttributes } from "../flake/tree-attributes.ts";
import type { NixFetcher, NixSource } from "../nix-fetcher.ts";
import { storeNameProblem } from "../store-name.ts";
import { Attrs, NixPath, NixString, NO_POSITION, textOf, type Slot, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";

// The reference has no place here, either, and says so.
const NOWHERE = toByteString("«none»:0");

/** What fetches sources. Nix: libexpr/primops/fetchTree.cc, libflake/flake-primops.cc */
export function fetchBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const getFetcher = (): NixFetcher => {
    const { fetcher } = e.io;
    if (fetcher === undefined) throw e.error("eval", "this evaluation fetches no sources");
    return fetcher;
  };
  return [
    ["fetchurl", 1, ([a]) => fetchUrl(e, getFetcher(), a!, "fetchurl")],
    ["fetchTarball", 1, ([a]) => fetchUrl(e, getFetcher(), a!, "fetchTarball")],
    ["fetchTree", 1, ([a]) => fetchTree(e, getFetcher(), a!, "fetchTree")],
    ["fetchGit", 1, ([a]) => fetchTree(e, getFetcher(), a!, "fetchGit")],
    ["fetchMercurial", 1, ([a]) => fetchMercurial(e, getFetcher(), a!)],
    ["parseFlakeRef", 1, ([r]) => {
      const text = e.forceStringNoContext(r!, NO_POSITION, "while evaluating the argument passed to builtins.parseFlakeRef");
      return e.makeSet(Object.entries(getFetcher().parseFlakeRef(text, { allowMissing: true })));
    }],
    ["flakeRefToString", 1, ([s]) => {
      const set = e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to builtins.flakeRefToString");
      const attributes: Record<string, ByteString | number | boolean> = {};
      set.shape.names.forEach((name, i) => {
        const value = e.force(set.at(i));
        if (typeof value === "number" || typeof value === "bigint") {
          if (value < 0) throw e.error("eval", `negative value given for flake ref attr ${name}: ${value}`);
          attributes[name] = Number(value);
        } else if (typeof value === "boolean" || typeof value === "string") attributes[name] = value;
        else if (value instanceof NixString) attributes[name] = textOf(value);
        else throw e.error("eval", `flake reference attribute sets may only contain integers, Booleans, and strings, but attribute '${name}' is ${e.describe(value)}`);
      });
      return getFetcher().formatFlakeRef(attributes);
    }],
    ["getFlake", 1, ([r]) => {
      const value = e.force(r!);
      if (value instanceof NixPath) return evaluateFlake(e, getFetcher(), getFetcher().parseFlakeRef(value.path, {}), { isPure: e.io.pure });
      const text = e.forceStringNoContext(value, NO_POSITION, "while evaluating the argument passed to builtins.getFlake");
      const ref = getFetcher().parseFlakeRef(text, { allowMissing: true });
      const { dir: _, ...source } = ref;
      if (e.io.pure && !getFetcher().isLocked(source)) throw e.error("eval", `cannot call 'getFlake' on unlocked flake reference '${text}', at ${NOWHERE} (use --impure to override)`);
      return evaluateFlake(e, getFetcher(), ref, { isPure: e.io.pure });
    }],
    ["fetchClosure", 1, ([s]) => fetchClosure(e, getFetcher(), s!)],
  ];
}

function fetchUrl(e: Evaluator, fetcher: NixFetcher, slot: Slot, who: "fetchurl" | "fetchTarball"): Value {
  const value = e.force(slot);
  let url: ByteString | undefined;
  let expected: Hash | undefined;
  let name: ByteString = who === "fetchTarball" ? "source" : "";
  let isNamed = false;
  if (value instanceof Attrs) {
    value.shape.names.forEach((key, i) => {
      const inner = value.at(i);
      const place = e.placeOf(value.places, i);
      if (key === "url") url = e.forceStringNoContext(inner, place, "while evaluating the url we should fetch");
      else if (key === "sha256") expected = parseExpected(e, e.forceStringNoContext(inner, place, "while evaluating the sha256 of the content we should fetch"));
      else if (key === "name") {
        isNamed = true;
        name = e.forceStringNoContext(inner, place, "while evaluating the name of the content we should fetch");
      } else throw e.error("eval", `unsupported argument '${key}' to '${who}'`);
    });
    if (url === undefined) throw e.error("eval", "'url' argument required");
  } else url = e.forceStringNoContext(value, NO_POSITION, "while evaluating the url we should fetch");
  if (who === "fetchTarball" && url.startsWith("channel:")) url = `https://channels.nixos.org/${url.slice("channel:".length)}/nixexprs.tar.xz`;
  fetcher.checkUri(url);
  if (name === "") name = url.slice(url.replace(/\/+$/, "").lastIndexOf("/") + 1).replace(/\/+$/, "");
  try {
    checkStorePathName(name);
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    const how = isNamed
      ? `Please change the value for the 'name' attribute passed to '${who}', so that it can create a valid store path.`
      : value instanceof Attrs
        ? `Please add a valid 'name' attribute to the argument for '${who}', so that it can create a valid store path.`
        : `Please pass an attribute set with 'url' and 'name' attributes to '${who}',  so that it can create a valid store path.`;
    throw e.error("eval", `invalid store path name when fetching URL '${url}': ${storeNameProblem(name) ?? error.message}. ${how}`);
  }
  if (e.io.pure && expected === undefined) throw e.error("eval", `in pure evaluation mode, '${who}' requires a 'sha256' argument`);
  const known = expected === undefined ? undefined : makeFixedOutputPath({ name, method: who === "fetchTarball" ? "nar" : "flat", hash: expected, storeDir: e.io.storeDir });
  if (known !== undefined && e.io.isValid(known)) {
    fetcher.allow(known);
    return pathString(e, known);
  }
  if (who === "fetchTarball") {
    const { path, source } = fetcher.fetch(fetcher.check({ type: "tarball", url, name }), false);
    if (expected !== undefined) checkHash(e, url, expected, parseHash(String(source["narHash"])));
    return pathString(e, path);
  }
  const { path, hash } = fetcher.fetchFile(url, name);
  if (expected !== undefined) checkHash(e, url, expected, hash);
  return pathString(e, path);
}

function checkHash(e: Evaluator, url: ByteString, expected: Hash, got: Hash): void {
  if (equalHashes(got, expected)) return;
  const error = e.error("eval", `hash mismatch in file downloaded from '${url}':\n  specified: ${formatHash(expected, "nix32", true)}\n  got:       ${formatHash(got, "nix32", true)}`);
  error.status = 102;
  throw error;
}

function parseExpected(e: Evaluator, text: ByteString): Hash {
  if (text !== "") return parseHash(text, "sha256");
  e.io.log("warning: found empty hash, assuming 'sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='");
  return { algorithm: "sha256", digest: new Uint8Array(32) };
}

function pathString(e: Evaluator, path: StorePath): Value {
  return e.makeString(`${e.io.storeDir}/${path}`, new Set([path]));
}

function fetchTree(e: Evaluator, fetcher: NixFetcher, slot: Slot, who: "fetchTree" | "fetchGit"): Value {
  const isFetchGit = who === "fetchGit";
  const value = e.force(slot);
  let source: NixSource;
  if (value instanceof Attrs) {
    const attributes: Record<string, ByteString | number | boolean> = {};
    const type = value.get("type");
    if (type !== undefined && isFetchGit) throw e.error("eval", "unexpected argument 'type'");
    if (type === undefined && !isFetchGit) throw e.error("eval", `argument 'type' is missing in call to '${who}'`);
    attributes["type"] = type === undefined ? "git" : e.forceStringNoContext(type, NO_POSITION, `while evaluating the \`type\` argument passed to '${who}'`);
    value.shape.names.forEach((key, i) => {
      if (key === "type") return;
      const inner = e.force(value.at(i));
      if (typeof inner === "string" || inner instanceof NixString || inner instanceof NixPath) {
        const text = e.coerceToString(inner, NO_POSITION, new Set(), "", false, false);
        attributes[key] = isFetchGit && key === "url" ? fetcher.fixGitUrl(text) : text;
      } else if (typeof inner === "boolean") attributes[key] = inner;
      else if (typeof inner === "number" || typeof inner === "bigint") {
        if (inner < 0) throw e.error("eval", `negative value given for '${who}' argument '${key}': ${inner}`);
        attributes[key] = Number(inner);
      } else throw e.error("type", `argument '${key}' to '${who}' is ${e.describe(inner).replace(/:.*$/s, "")} while a string, Boolean or integer is expected`);
    });
    if (isFetchGit && !("exportIgnore" in attributes) && attributes["submodules"] !== true) attributes["exportIgnore"] = true;
    // A tree is wanted, not its history.
    if (!isFetchGit && attributes["type"] === "git" && !("shallow" in attributes)) attributes["shallow"] = true;
    if (!isFetchGit && "name" in attributes) throw e.error("eval", `argument 'name' isn${toByteString("’")}t supported in call to '${who}'`);
    source = fetcher.check(attributes);
  } else {
    const url = e.coerceToString(value, NO_POSITION, new Set(), `while evaluating the first argument passed to '${who}'`, false, false);
    source = isFetchGit ? fetcher.check({ type: "git", url: fetcher.fixGitUrl(url), exportIgnore: true }) : fetcher.parse(url);
  }
  if (!e.io.pure && source["type"] === "indirect") {
    const { dir: _, ...resolved } = fetcher.resolve(source, "all");
    source = resolved;
  }
  if (e.io.pure && !fetcher.isLocked(source)) {
    if (source["narHash"] === undefined) throw e.error("eval", `in pure evaluation mode, '${who}' doesn't fetch unlocked input '${fetcher.format(source)}'`);
    e.io.log(`warning: Input '${fetcher.format(source)}' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. This is not reproducible and will break after garbage collection or when shared.`);
  }
  fetcher.checkUri(fetcher.format(source));
  const { path, source: found } = fetcher.fetch(source, false);
  return treeAttributes(e, path, found, { emptyRevision: isFetchGit });
}

/** Nix: libexpr/primops/fetchMercurial.cc */
function fetchMercurial(e: Evaluator, fetcher: NixFetcher, slot: Slot): Value {
  const value = e.force(slot);
  const attributes: Record<string, ByteString> = { type: "hg", name: "source" };
  let url: ByteString = "";
  if (value instanceof Attrs) {
    for (const [i, name] of value.shape.names.entries()) {
      const inner = value.values[i]!;
      const place = e.placeOf(value.places, i);
      const why = `while evaluating the \`${name}\` attribute passed to builtins.fetchMercurial`;
      if (name === "url") url = e.coerceToString(inner, place, new Set(), why, false, false);
      else if (name === "rev") {
        // A revision, or the name of a branch or tag.
        const rev = e.forceStringNoContext(inner, place, why);
        attributes[/^[0-9a-fA-F]{40}$/.test(rev) ? "rev" : "ref"] = rev;
      } else if (name === "name") attributes["name"] = e.forceStringNoContext(inner, place, why);
      else throw e.error("eval", `unsupported argument '${name}' to 'fetchMercurial'`, place);
    }
    if (url === "") throw e.error("eval", "'url' argument required");
  } else url = e.coerceToString(value, NO_POSITION, new Set(), "while evaluating the first argument passed to builtins.fetchMercurial", false, false);
  fetcher.checkUri(url);
  if (e.io.pure && attributes["rev"] === undefined) throw e.error("eval", "in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision");
  const { path, source } = fetcher.fetch(fetcher.check({ ...attributes, url: url.includes("://") ? url : `file://${url}` }), false);
  const rev = typeof source["rev"] === "string" ? source["rev"] : "0".repeat(40);
  return e.makeSet([
    ["outPath", pathString(e, path)],
    ...(typeof source["ref"] === "string" ? [["branch", source["ref"]] as const] : []),
    ["rev", rev],
    ["shortRev", rev.slice(0, 12)],
    ...(typeof source["revCount"] === "number" ? [["revCount", source["revCount"]] as const] : []),
  ]);
}

/** Nix: libexpr/primops/fetchClosure.cc */
function fetchClosure(e: Evaluator, fetcher: NixFetcher, slot: Slot): Value {
  const set = e.forceAttrs(slot, NO_POSITION, "while evaluating the argument passed to builtins.fetchClosure");
  let fromStore: ByteString | undefined;
  let fromPath: StorePath | undefined;
  let toPath: StorePath | "" | undefined;
  let inputAddressed = false;
  const readPath = (value: Slot, place: number, why: string): StorePath => {
    const text = e.coerceToString(value, place, new Set(), why, false, false);
    const path = text.startsWith(`${e.io.storeDir}/`) ? text.slice(e.io.storeDir.length + 1) : "";
    if (!isStorePathBaseName(path)) throw e.error("eval", `path '${text}' is not in the Nix store`).addTrace(why, e.positionAt(place));
    return path;
  };
  for (const [i, name] of set.shape.names.entries()) {
    const place = e.placeOf(set.places, i);
    const why = `while evaluating the attribute '${name}' passed to builtins.fetchClosure`;
    if (name === "fromPath") fromPath = readPath(set.at(i), place, why);
    else if (name === "toPath") toPath = e.force(set.at(i)) === "" ? "" : readPath(set.at(i), place, why);
    else if (name === "fromStore") fromStore = e.forceStringNoContext(set.at(i), place, why);
    else if (name === "inputAddressed") inputAddressed = e.forceBool(set.at(i), place, why);
    else throw e.error("eval", `attribute '${name}' isn't supported in call to 'fetchClosure'`);
  }
  if (fromPath === undefined) throw e.error("eval", "attribute 'fromPath' is missing in call to 'fetchClosure'");
  if (inputAddressed && toPath !== undefined) throw e.error("eval", "attribute 'inputAddressed' is set to true, but 'toPath' is also set. Please remove one of them");
  if (fromStore === undefined) throw e.error("eval", "attribute 'fromStore' is missing in call to 'fetchClosure'");
  return pathString(e, fetcher.fetchClosure({ fromStore, fromPath, toPath, inputAddressed }));
}
