import type { Derivation } from "../../derivation/derivation.ts";
import { inputPlaceholder } from "../../derivation/placeholder.ts";
import { derivationOutputPaths } from "../../derivation/derivation-output-paths.ts";
import { parseDerivation } from "../../derivation/parse-derivation.ts";
import type { Hash } from "../../hash/hash.ts";
import { isStorePathBaseName, splitStorePath, storePathName, type StorePath } from "../../store-path/store-path.ts";
import { byteStringToBytes, type ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { formatIdentifier } from "../format-literal.ts";
import { parseHashOrEmpty } from "../hash-text.ts";
import { realiseText } from "../realise-path.ts";
import { resolveSymlinks } from "../resolve-path.ts";
import { Attrs, NixString, NO_POSITION, textOf, type Slot, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";
import { INTERNAL_FILES, showPath } from "./fetchurl-file.ts";

type PathToAdd = {
  readonly name: ByteString;
  readonly file: ByteString;
  readonly context: ReadonlySet<ByteString>;
  readonly method: "nar" | "flat";
  readonly filter?: Value | undefined;
  readonly expected?: Hash | undefined;
};

/** What puts files into the store, or speaks of what is there. */
export function storeBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const { storeDir } = e.io;
  const isInStore = (path: ByteString): boolean => path.startsWith(`${storeDir}/`);

  /** Nix: libexpr/primops.cc, addPath */
  const add = ({ name, file, context, method, filter, expected }: PathToAdd): Value => {
    try {
      let path = file;
      let references: readonly StorePath[] = [];
      if (isInStore(file) && context.size > 0) {
        path = realiseText(e, file, context);
        references = e.io.references(splitStorePath(path, storeDir).path);
      }
      const include = filter === undefined ? undefined : (inside: ByteString, kind: string): boolean =>
        e.forceBool(e.call(filter, [inside, kind], NO_POSITION), NO_POSITION, "while evaluating the return value of the path filter function");
      const resolved = resolveSymlinks(e.io, path);
      const own = INTERNAL_FILES.get(resolved);
      if (own !== undefined) {
        const text = e.io.addText(name, own, []);
        return e.makeString(`${storeDir}/${text}`, new Set([text]));
      }
      if (e.io.fileKind(resolved) === undefined) {
        e.io.checkAccess(resolved);
        throw e.error("eval", `path '${showPath(resolved)}' does not exist`);
      }
      const stored = e.io.addPath(resolved, name, method, { include, references, expected });
      if (stored === undefined) throw e.error("eval", `store path mismatch in (possibly filtered) path added from '${file}'`);
      return e.makeString(`${storeDir}/${stored}`, new Set([stored]));
    } catch (error) {
      throw e.trace(error, `while adding path '${showPath(file)}'`);
    }
  };
  return [
    ["toFile", 2, ([n, c]) => {
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.toFile");
      const contents = e.forceString(c!, NO_POSITION, "while evaluating the second argument passed to builtins.toFile");
      const references: StorePath[] = [];
      for (const element of typeof contents === "string" ? [] : contents.context) {
        if (element.startsWith("!") || element.startsWith("=")) {
          throw e.error("eval", `files created by builtins.toFile may not reference derivations, but ${name} references ${element}`);
        }
        references.push(element as StorePath);
      }
      const stored = e.io.addText(name, textOf(contents), references);
      return e.makeString(`${storeDir}/${stored}`, new Set([stored]));
    }],
    ["path", 1, ([s]) => {
      const set = e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to 'builtins.path'");
      const context = new Set<ByteString>();
      let file: ByteString | undefined;
      let name = "";
      let method: "nar" | "flat" = "nar";
      let filter: Value | undefined;
      let expected: Hash | undefined;
      for (const index of e.symbolOrder(set.shape)) {
        const key = set.shape.names[index]!;
        const slot = set.at(index);
        const place = e.placeOf(set.places, index);
        if (key === "path") file = e.coerceToPath(slot, place, context, "while evaluating the 'path' attribute passed to 'builtins.path'");
        else if (key === "name") name = e.forceStringNoContext(slot, place, "while evaluating the `name` attribute passed to builtins.path");
        else if (key === "filter") filter = e.forceFunction(slot, place, "while evaluating the `filter` parameter passed to builtins.path");
        else if (key === "recursive") method = e.forceBool(slot, place, "while evaluating the `recursive` attribute passed to builtins.path") ? "nar" : "flat";
        else if (key === "sha256") expected = parseHashOrEmpty(e.forceStringNoContext(slot, place, "while evaluating the `sha256` attribute passed to builtins.path"), "sha256", e.settings, (message) => e.io.log(message));
        else throw e.error("eval", `unsupported argument '${formatIdentifier(key)}' to 'builtins.path'`, place);
      }
      if (file === undefined) throw e.error("eval", "missing required 'path' attribute in the first argument to 'builtins.path'");
      return add({ name: name === "" ? baseName(file) : name, file, context, method, filter, expected });
    }],
    ["filterSource", 2, ([f, p]) => {
      const context = new Set<ByteString>();
      const file = e.coerceToPath(p!, NO_POSITION, context, "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'");
      const filter = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.filterSource");
      return add({ name: baseName(file), file, context, method: "nar", filter });
    }],
    ["storePath", 1, ([p]) => {
      if (e.io.pure) throw e.error("eval", "'builtins.storePath' is not allowed in pure evaluation mode");
      const context = new Set<ByteString>();
      let file = e.coerceToPath(p!, NO_POSITION, context, "while evaluating the first argument passed to 'builtins.storePath'");
      // What is itself a path of the store is taken as it is, also where it is a link.
      if (!(isInStore(file) && isStorePathBaseName(file.slice(storeDir.length + 1)))) file = resolveSymlinks(e.io, file);
      if (!isInStore(file)) throw e.error("eval", `path '${file}' is not in the Nix store`);
      const { path } = splitStorePath(file, storeDir);
      e.io.ensureValid(path);
      context.add(path);
      return new NixString(file, context);
    }],
  ];
}

function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What `import` of a `.drv` of the store gives: the set that made it, as far as the file tells. */
export function importDerivation(e: Evaluator, file: ByteString, path: StorePath): Value {
  const { storeDir } = e.io;
  const derivation: Derivation = parseDerivation(byteStringToBytes(e.io.readFile(file)), storePathName(path).replace(/\.drv$/, ""), storeDir);
  const paths = derivationOutputPaths(derivation, storeDir);
  const names = [...derivation.outputs.keys()].sort();
  const output = (name: string): Slot => {
    const known = paths.get(name);
    return new NixString(known === undefined ? inputPlaceholder(path, name) : `${storeDir}/${known}`, new Set([`!${name}!${path}`]));
  };
  const sets: Attrs[] = [];
  const common = e.makeSet([
    ...names.map((name, index): [ByteString, Slot] => [name, e.lazy(() => sets[index]!)]),
    ["all", e.lazy(() => [...sets])],
    ["drvPath", new NixString(file, new Set([`=${path}`]))],
    ["name", derivation.env.get("name") ?? ""],
    ["type", "derivation"],
  ]);
  for (const name of names) sets.push(e.mergeSets(common, e.makeSet([["outPath", output(name)], ["outputName", name]])));
  return sets[0]!;
}
