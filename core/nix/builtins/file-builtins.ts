import { formatHash, hashByteString } from "../../hash/hash.ts";
import { isHashAlgorithm } from "../../hash/hash-algorithm.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import { canonicalPath } from "../canonical-path.ts";
import { NO_POSITION, textOf, type Evaluator } from "../evaluator.ts";
import { NixPath, type Slot, type Thunk, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-table.ts";
import { INTERNAL_FILES, INTERNAL_FOLDER } from "./fetchurl-file.ts";

/** What reads files through the injected interface. */
export function fileBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const loaded = new Map<ByteString, Thunk>();
  const path = (slot: Slot, pos: number, builtin: string): ByteString =>
    e.coerceToPath(slot, pos, new Set(), `while evaluating the first argument passed to 'builtins.${builtin}'`);
  /** The path with every symbolic link followed. */
  const resolve = (start: ByteString): ByteString => {
    let pending = canonicalPath(start).split("/").slice(1);
    let result = "";
    for (let links = 0; pending.length > 0; ) {
      const [piece, ...rest] = pending as [string, ...string[]];
      const next = `${result}/${piece}`;
      if (e.io.fileKind(next) === "symlink") {
        if (++links > 40) throw e.error("eval", `infinite symlink recursion in path '${start}'`);
        const target = e.io.readLink(next);
        pending = canonicalPath(`${target.startsWith("/") ? target : `${result}/${target}`}/${rest.join("/")}`).split("/").slice(1).filter((name) => name !== "");
        result = "";
      } else {
        result = next;
        pending = rest;
      }
    }
    return result === "" ? "/" : result;
  };
  const existing = (file: ByteString): ByteString => {
    const resolved = resolve(file);
    if (e.io.fileKind(resolved) === undefined) throw e.error("eval", `path '${file}' does not exist`);
    return resolved;
  };
  const importFile = (file: ByteString, scope?: { readonly names: readonly ByteString[]; readonly values: readonly Slot[] }): Value => {
    const internal = INTERNAL_FILES.get(file);
    let target = internal === undefined ? existing(file) : file;
    if (internal === undefined && e.io.fileKind(target) === "directory") target = existing(`${target}/default.nix`);
    const base = target.slice(0, target.lastIndexOf("/")) || "/";
    if (scope !== undefined) return e.force(e.load(e.io.readFile(target), target, base, scope));
    let thunk = loaded.get(target);
    if (thunk === undefined) {
      thunk = e.load(internal ?? e.io.readFile(target), target, base);
      loaded.set(target, thunk);
    }
    return e.force(thunk);
  };
  const store = (file: ByteString, name: ByteString, method: "nar" | "flat", filter: Value | undefined): Value => {
    const stored = e.io.addPath(file, name, method, filter === undefined ? undefined : (path, kind) => e.forceBool(e.call(filter, [path, kind], NO_POSITION), NO_POSITION, "while evaluating the return value of the path filter function"));
    return e.makeString(`${e.io.storeDir}/${stored}`, new Set([stored]));
  };
  return [
    ["import", 1, ([p], pos) => importFile(path(p!, pos, "import"))],
    ["scopedImport", 2, ([s, p], pos) => {
      const scope = e.forceAttrs(s!, NO_POSITION, "while evaluating the first argument passed to builtins.scopedImport");
      return importFile(path(p!, pos, "scopedImport"), { names: scope.shape.names, values: scope.values });
    }],
    ["readFile", 1, ([p], pos) => {
      const file = path(p!, pos, "readFile");
      const text = e.io.readFile(existing(file));
      if (text.includes("\0")) throw e.error("eval", `the contents of the file '${file}' cannot be represented as a Nix string`);
      return text;
    }],
    ["readDir", 1, ([p], pos) => {
      const folder = path(p!, pos, "readDir");
      const resolved = existing(folder);
      if (e.io.fileKind(resolved) !== "directory") throw e.error("eval", `cannot read directory "${folder}": Not a directory`);
      return e.makeSet(e.io.readDirectory(resolved));
    }],
    ["readFileType", 1, ([p], pos) => {
      const file = path(p!, pos, "readFileType");
      const slash = file.lastIndexOf("/");
      const kind = e.io.fileKind(`${resolve(file.slice(0, slash))}/${file.slice(slash + 1)}`.replace("//", "/"));
      if (kind === undefined) throw e.error("eval", `path '${file}' does not exist`);
      return kind;
    }],
    ["pathExists", 1, ([p], pos) => {
      const value = e.force(p!);
      const text = value instanceof NixPath ? value.path : e.coerceToString(value, pos, new Set(), "while evaluating the first argument passed to builtins.pathExists", false, false);
      const file = path(p!, pos, "pathExists");
      const kind = e.io.fileKind(resolve(file));
      return /\/\.?$/.test(text) ? kind === "directory" : kind !== undefined;
    }],
    ["hashFile", 2, ([a, p], pos) => {
      const algorithm = e.forceStringNoContext(a!, NO_POSITION, "while evaluating the first argument passed to builtins.hashFile");
      if (!isHashAlgorithm(algorithm)) throw e.error("eval", `unknown hash algorithm '${algorithm}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`);
      return formatHash(hashByteString(algorithm, e.io.readFile(existing(e.coerceToPath(p!, pos, new Set(), "while evaluating the second argument passed to builtins.hashFile")))), "base16");
    }],
    ["findFile", 2, ([l, n], pos) => {
      const entries = e.forceList(l!, NO_POSITION, "while evaluating the first argument passed to builtins.findFile").map((slot) => {
        const set = e.forceAttrs(slot, NO_POSITION, "while evaluating an element of the list passed to builtins.findFile");
        const prefix = set.get("prefix");
        const where = set.get("path");
        if (where === undefined) throw e.trace(e.error("type", "attribute 'path' missing"), "in an element of the __nixPath");
        return {
          prefix: prefix === undefined ? "" : e.forceStringNoContext(prefix, NO_POSITION, "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile"),
          path: e.coerceToString(where, pos, new Set(), "while evaluating the `path` attribute of an element of the list passed to builtins.findFile", false, false),
        };
      });
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the second argument passed to builtins.findFile");
      for (const { prefix, path: where } of entries) {
        let suffix: ByteString;
        if (prefix === "") suffix = `/${name}`;
        else if (name === prefix) suffix = "";
        else if (name.startsWith(`${prefix}/`)) suffix = name.slice(prefix.length);
        else continue;
        const file = canonicalPath(`${where}${suffix}`);
        if (e.io.fileKind(resolve(file)) !== undefined) return new NixPath(file);
      }
      const internal = name.startsWith("nix/") ? `${INTERNAL_FOLDER}/${name.slice(4)}` : "";
      if (INTERNAL_FILES.has(internal)) return new NixPath(internal);
      throw e.error("throw", entries.length === 0 && e.io.searchPath.length === 0 && e.io.currentSystem === undefined
        ? `cannot look up '<${name}>' in pure evaluation mode (use '--impure' to override)`
        : `file '${name}' was not found in the Nix search path (add it using $NIX_PATH or -I)`, pos);
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
    ["toFile", 2, ([n, c]) => {
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.toFile");
      const contents = e.forceString(c!, NO_POSITION, "while evaluating the second argument passed to builtins.toFile");
      const references: StorePath[] = [];
      for (const element of typeof contents === "string" ? [] : contents.context) {
        if (element.startsWith("!") || element.startsWith("=")) {
          throw e.error("eval", `files created by builtins.toFile may not reference derivations, but ${name} references ${element.replace(/^[!=].*!|^=/, "")}`);
        }
        references.push(element as StorePath);
      }
      const stored = e.io.addText(name, textOf(contents), references);
      return e.makeString(`${e.io.storeDir}/${stored}`, new Set([stored]));
    }],
    ["path", 1, ([s], pos) => {
      const set = e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to 'builtins.path'");
      const source = set.get("path");
      if (source === undefined) throw e.error("eval", "missing required 'path' attribute in the first argument to 'builtins.path'");
      const file = e.coerceToPath(source, pos, new Set(), "while evaluating the 'path' attribute passed to 'builtins.path'");
      const name = set.get("name");
      const recursive = set.get("recursive");
      const filter = set.get("filter");
      return store(
        existing(file),
        name === undefined ? file.slice(file.lastIndexOf("/") + 1) : e.forceStringNoContext(name, NO_POSITION, "while evaluating the `name` attribute passed to builtins.path"),
        recursive === undefined || e.forceBool(recursive, NO_POSITION, "while evaluating the `recursive` attribute passed to builtins.path") ? "nar" : "flat",
        filter === undefined ? undefined : e.forceFunction(filter, NO_POSITION, "while evaluating the `filter` parameter passed to builtins.path"),
      );
    }],
    ["filterSource", 2, ([f, p], pos) => {
      const file = e.coerceToPath(p!, pos, new Set(), "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'");
      return store(existing(file), file.slice(file.lastIndexOf("/") + 1), "nar", e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.filterSource"));
    }],
    ["getEnv", 1, ([n]) => e.io.getEnvironment(e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.getEnv"))],
  ];
}
