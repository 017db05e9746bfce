import { hashToBase16 } from "../../hash/hash.ts";
import { isStorePathBaseName, splitStorePath, storePathHash } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import { canonicalPath } from "../canonical-path.ts";
import type { Evaluator } from "../evaluator.ts";
import type { NixIo } from "../nix-io.ts";
import { NixError } from "../nix-error.ts";
import { realisePath, realiseText } from "../realise-path.ts";
import { requireKind, resolveExpressionPath, resolveSymlinks } from "../resolve-path.ts";
import { DONE, NixPath, NixString, NO_POSITION, textOf, type Attrs, type Slot, type Thunk, type Value } from "../value.ts";
import { parseAlgorithm } from "../hash-text.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";
import { INTERNAL_FILES, INTERNAL_FOLDER } from "./fetchurl-file.ts";
import { importDerivation } from "./store-builtins.ts";

/** What `<name>` means: the first entry that has it. @throws NixError of kind `throw` where none has */
export function findInSearchPath(e: Evaluator, entries: NixIo["searchPath"], name: ByteString, pos: number): ByteString {
  for (const { prefix, path: value } of entries) {
    let suffix: ByteString;
    if (prefix === "") suffix = `/${name}`;
    else if (name === prefix) suffix = "";
    else if (name.startsWith(`${prefix}/`)) suffix = name.slice(prefix.length);
    else continue;
    const where = e.io.findSearchPathEntry(value);
    if (where === undefined) continue;
    const file = resolveSymlinks(e.io, canonicalPath(`${where}${suffix}`));
    if (e.io.fileKind(file) !== undefined) return file;
    e.io.checkAccess(file);
  }
  if (name.startsWith("nix/")) return canonicalPath(`${INTERNAL_FOLDER}/${name.slice(4)}`);
  throw e.error("throw", e.io.pure
    ? `cannot look up '<${name}>' in pure evaluation mode (use '--impure' to override)`
    : `file '${name}' was not found in the Nix search path (add it using $NIX_PATH or -I)`, pos);
}

/** What reads files through the injected interface. */
export function fileBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const loaded = new Map<ByteString, Thunk>();
  const resolved = new Map<ByteString, ByteString>();
  /** Of a path whose links were followed. */
  const read = (path: ByteString): ByteString => {
    const internal = INTERNAL_FILES.get(path);
    if (internal !== undefined) return internal;
    if (requireKind(e.io, path) === "directory") throw e.error("eval", "read of 4096 bytes: Is a directory");
    return e.io.readFile(path);
  };
  const load = (file: ByteString, scope?: { readonly names: readonly ByteString[]; readonly values: readonly Slot[] }): Thunk => {
    const real = resolveSymlinks(e.io, file);
    const folder = file.slice(0, file.lastIndexOf("/")) || "/";
    if (scope !== undefined || INTERNAL_FILES.has(real) || requireKind(e.io, real) === "directory") return e.load(read(real), file, folder, scope);
    return e.loadFile(real, file, folder);
  };
  const expressionPath = (path: ByteString): ByteString => {
    let file = resolved.get(path);
    if (file === undefined) {
      file = INTERNAL_FILES.has(path) ? path : resolveExpressionPath(e.io, path);
      resolved.set(path, file);
    }
    return file;
  };
  const importPath = (slot: Slot, scopeOf?: () => Attrs): Value => {
    const path = realisePath(e, slot, "none");
    if (path.endsWith(".drv") && path.startsWith(`${e.io.storeDir}/`)) {
      const name = path.slice(e.io.storeDir.length + 1);
      if (isStorePathBaseName(name) && e.io.isValid(name)) return importDerivation(e, path, name);
    }
    const scope = scopeOf?.();
    const file = expressionPath(path);
    if (scope !== undefined) return e.force(load(file, { names: scope.shape.names, values: scope.values }));
    let thunk = loaded.get(file);
    if (thunk === undefined) {
      thunk = load(file);
      loaded.set(file, thunk);
    }
    if (thunk.code === DONE) return thunk.x as Value;
    try {
      return e.force(thunk);
    } catch (error) {
      throw e.trace(error, `while evaluating the file '${file}':`);
    }
  };
  return [
    ["import", 1, ([p]) => importPath(p!)],
    ["scopedImport", 2, ([s, p]) => importPath(p!, () => e.forceAttrs(s!, NO_POSITION, "while evaluating the first argument passed to builtins.scopedImport"))],
    ["readFile", 1, ([p]) => {
      const file = realisePath(e, p!);
      const text = read(file);
      if (text.includes("\0")) throw e.error("eval", `the contents of the file '${file}' cannot be represented as a Nix string`);
      if (!file.startsWith(`${e.io.storeDir}/`)) return text;
      // What the file's store path refers to and the text names goes on with it.
      const found = e.io.references(splitStorePath(file, e.io.storeDir).path).filter((path) => text.includes(storePathHash(path)));
      return e.makeString(text, new Set(found));
    }],
    ["readDir", 1, ([p]) => {
      const folder = realisePath(e, p!);
      if (requireKind(e.io, folder) !== "directory") throw e.error("eval", `cannot read directory "${folder}": Not a directory`);
      return e.makeSet(e.io.readDirectory(folder));
    }],
    ["readFileType", 1, ([p]) => {
      // The one builtin that follows no link, and refuses one on its way.
      const path = canonicalPath(realisePath(e, p!, "none"));
      if (INTERNAL_FILES.has(path)) return "regular";
      for (let slash = path.indexOf("/", 1); slash > 0; slash = path.indexOf("/", slash + 1)) {
        if (e.io.fileKind(path.slice(0, slash)) === "symlink") throw e.error("eval", `path '${path.slice(0, slash)}' is a symlink`);
      }
      return requireKind(e.io, path);
    }],
    ["pathExists", 1, ([p]) => {
      const value = e.force(p!);
      const mustBeFolder = (typeof value === "string" || value instanceof NixString) && /\/\.?$/.test(textOf(value));
      try {
        const path = realisePath(e, value, mustBeFolder ? "full" : "ancestors");
        const kind = INTERNAL_FILES.has(path) ? "regular" : e.io.fileKind(path);
        return mustBeFolder ? kind === "directory" : kind !== undefined;
      } catch (error) {
        if (error instanceof NixError && error.kind === "restricted") return false;
        throw error;
      }
    }],
    ["hashFile", 2, ([a, p]) => {
      const algorithm = parseAlgorithm(e.forceStringNoContext(a!, NO_POSITION, "while evaluating the first argument passed to builtins.hashFile"), e.settings);
      return hashToBase16(algorithm, read(realisePath(e, p!)));
    }],
    ["findFile", 2, ([l, n], pos) => {
      const entries = e.forceList(l!, NO_POSITION, "while evaluating the first argument passed to builtins.findFile").map((slot) => {
        const set = e.forceAttrs(slot, NO_POSITION, "while evaluating an element of the list passed to builtins.findFile");
        const prefix = set.get("prefix");
        const where = set.get("path");
        if (where === undefined) throw e.trace(e.error("type", "attribute 'path' missing"), "in an element of the __nixPath");
        const context = new Set<ByteString>();
        const path = e.coerceToString(where, NO_POSITION, context, "while evaluating the `path` attribute of an element of the list passed to builtins.findFile", false, false);
        return {
          prefix: prefix === undefined ? "" : e.forceStringNoContext(prefix, NO_POSITION, "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile"),
          path: realiseText(e, path, context),
        };
      });
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the second argument passed to builtins.findFile");
      return new NixPath(findInSearchPath(e, entries, name, pos));
    }],
    ["baseNameOf", 1, ([p]) => {
      const context = new Set<ByteString>();
      const text = e.coerceToString(p!, NO_POSITION, context, "while evaluating the first argument passed to builtins.baseNameOf", false, false);
      const trimmed = text.length > 1 && text.endsWith("/") ? text.slice(0, -1) : text;
      return e.makeString(trimmed === "/" ? "" : trimmed.slice(trimmed.lastIndexOf("/") + 1), context);
    }],
    ["dirOf", 1, ([p]) => {
      const value = e.force(p!);
      if (value instanceof NixPath) {
        const file = canonicalPath(value.path);
        return new NixPath(file.slice(0, file.lastIndexOf("/")) || "/");
      }
      const context = new Set<ByteString>();
      const text = e.coerceToString(value, NO_POSITION, context, "while evaluating the first argument passed to 'builtins.dirOf'", false, false);
      const slash = text.lastIndexOf("/");
      return e.makeString(slash < 0 ? "." : slash === 0 ? "/" : text.slice(0, slash), context);
    }],
    ["toPath", 1, ([p], pos) => {
      const context = new Set<ByteString>();
      return e.makeString(e.coerceToPath(p!, pos, context, "while evaluating the first argument passed to builtins.toPath"), context);
    }],
    ["getEnv", 1, ([n]) => e.io.getEnvironment(e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.getEnv"))],
  ];
}
