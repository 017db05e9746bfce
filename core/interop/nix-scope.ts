import { installBuiltins } from "../nix/builtins/builtin-table.ts";
import { Evaluator } from "../nix/evaluator.ts";
import { NixPath, NO_POSITION } from "../nix/value.ts";
import type { EvaluationRegistry } from "../package/evaluation-registry.ts";
import { toByteString } from "../util/bytes.ts";
import { NixBridge } from "./nix-bridge.ts";
import { evaluateHomeConfiguration, type HomeConfigurationOptions } from "./home-configuration.ts";
import { evaluateNixosSystem, type NixosSystemOptions } from "./nixos-system.ts";
import type { SettledModules } from "./settle-modules.ts";
import { createRegistryIo } from "./registry-io.ts";
import type { SourceFiles } from "../config/source-files.ts";

export type NixScopeOptions = {
  readonly registry: EvaluationRegistry;
  readonly files: SourceFiles;
  /** Store paths in full: the configuration's inputs. More may be added while it is used. */
  readonly sources: ReadonlySet<string>;
  readonly log: (line: string) => void;
};

/** The Nix language inside one evaluation of a configuration. */
export type NixScope = {
  /**
   * What a file evaluates to; of a folder its `default.nix`.
   *
   * @param path in full, below one of the sources
   * @throws TsosError `nix.evaluation`
   */
  importFile(path: string): unknown;
  /** What a text evaluates to, its relative paths being those of `folder`. */
  evaluate(text: string, folder?: string): unknown;
  /** @throws TsosError `nix.evaluation`, `nix.unsettled` */
  nixosSystem(options: NixosSystemOptions): SettledModules;
  /** @throws TsosError `nix.evaluation`, `nix.unsettled` */
  homeConfiguration(options: HomeConfigurationOptions): SettledModules;
};

export function createNixScope({ registry, files, sources, log }: NixScopeOptions): NixScope {
  // What a round printed that is evaluated again is printed once.
  let held: string[] | undefined;
  const print = (line: string): void => (held === undefined ? log(line) : void held.push(line));
  const holdOutput = (): ((isKept: boolean) => void) => {
    const own: string[] = [];
    const outer = held;
    held = own;
    return (isKept) => {
      held = outer;
      if (isKept) own.forEach(print);
    };
  };
  const io = createRegistryIo({ registry, files, sources, log: print });
  const { compiled } = files;
  const evaluator = new Evaluator({
    io,
    compiledFiles: compiled === undefined ? undefined : (path, basePath, globals) => {
      io.checkAccess(path);
      return compiled(path, basePath, globals);
    },
  });
  installBuiltins(evaluator);
  const bridge = new NixBridge(evaluator, registry);
  const importFunction = evaluator.globals.get("import")!;
  return {
    importFile: (path) => bridge.toTypeScript(evaluator.lazy(() => evaluator.call(evaluator.force(importFunction), [new NixPath(toByteString(path))], NO_POSITION))),
    nixosSystem: (options) => bridge.run(() => evaluateNixosSystem(evaluator, bridge, options, holdOutput)),
    homeConfiguration: (options) => bridge.run(() => evaluateHomeConfiguration(evaluator, bridge, options, holdOutput)),
    evaluate: (text, folder = "/") => bridge.toTypeScriptExactly(evaluator.lazy(() => evaluator.force(evaluator.load(toByteString(text), toByteString("«configuration»"), toByteString(folder))))),
  };
}
