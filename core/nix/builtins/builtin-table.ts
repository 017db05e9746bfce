import type { ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { DERIVATION_FILE } from "../source.ts";
import { Attrs, Builtin, NO_PLACES, PresentThunk, type Slot } from "../value.ts";
import { attributeBuiltins } from "./attribute-builtins.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";
import { derivationBuiltins } from "./derivation-builtins.ts";
import { DERIVATION_FUNCTION } from "./derivation-function.ts";
import { fetchBuiltins } from "./fetch-builtins.ts";
import { fileBuiltins } from "./file-builtins.ts";
import { flowBuiltins } from "./flow-builtins.ts";
import { listBuiltins } from "./list-builtins.ts";
import { numberBuiltins } from "./number-builtins.ts";
import { storeBuiltins } from "./store-builtins.ts";
import { stringBuiltins } from "./string-builtins.ts";

/** Known everywhere without `builtins.`; all others have `__` before their name there. */
const BARE = new Set([
  "abort", "baseNameOf", "break", "derivation", "derivationStrict", "dirOf", "fetchGit", "fetchMercurial", "fetchTarball", "fetchTree", "fromTOML", "import",
  "isNull", "map", "placeholder", "removeAttrs", "scopedImport", "throw", "toString",
]);

/** The language version that the reference names. */
const LANGUAGE_VERSION = 6;
const NIX_VERSION = "2.34.8";

/** Fills `evaluator.globals`. */
export function installBuiltins(evaluator: Evaluator): void {
  const { globals, io } = evaluator;
  const table = new Map<ByteString, Slot>();
  const definitions: readonly BuiltinDefinition[] = [
    ...flowBuiltins(evaluator), ...numberBuiltins(evaluator), ...stringBuiltins(evaluator), ...listBuiltins(evaluator),
    ...attributeBuiltins(evaluator), ...fileBuiltins(evaluator), ...storeBuiltins(evaluator), ...derivationBuiltins(evaluator), ...fetchBuiltins(evaluator),
  ];
  const { settings } = evaluator;
  for (const [name, arity, run] of definitions) {
    // Those of experimental features are there only where they are on.
    if ((name === "fetchClosure" && settings.fetchClosure !== true) || (name === "outputOf" && settings.dynamicDerivations !== true)) continue;
    table.set(name, new Builtin(name, arity, run));
  }
  table.set("derivation", new PresentThunk(() => evaluator.force(evaluator.load(DERIVATION_FUNCTION, DERIVATION_FILE, "/"))));
  table.set("true", true);
  table.set("false", false);
  table.set("null", null);
  table.set("langVersion", LANGUAGE_VERSION);
  table.set("nixVersion", NIX_VERSION);
  table.set("storeDir", io.storeDir);
  table.set("nixPath", io.searchPath.map(({ prefix, path }) => evaluator.makeSet([["path", path], ["prefix", prefix]])));
  if (io.currentSystem !== undefined) table.set("currentSystem", io.currentSystem);
  const { currentTime } = io;
  if (currentTime !== undefined) table.set("currentTime", new PresentThunk(currentTime));
  for (const [name, value] of table) globals.set(BARE.has(name) || value === null || typeof value === "boolean" ? name : `__${name}`, value);
  const names = [...table.keys(), "builtins"].sort();
  const values: Slot[] = names.map((name) => table.get(name) ?? null);
  const builtins = new Attrs(evaluator.shapes.of(names), values, NO_PLACES);
  values[names.indexOf("builtins")] = builtins;
  globals.set("builtins", builtins);
}
