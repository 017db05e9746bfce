import type { NixFileKind } from "../../core/nix/nix-io.ts";
import type { SourceCall, SourceFiles } from "../../core/config/source-files.ts";
import type { EvaluationRegistry, Input, Overlay } from "../../core/index.ts";
import { createNixScope, type NixScope } from "../../core/interop/nix-scope.ts";
import type { ByteString } from "../../core/util/bytes.ts";
import { printed } from "./prelude.ts";

/** The Nix expressions in the inputs of one evaluation. */
export type NixInputs = {
  /** What a file of an input evaluates to; without a path its `default.nix`. */
  importFile(input: string, outPath: string, path: string): unknown;
};

/** Begun when the first expression is evaluated: most configurations have none. */
export function createNixInputs(registry: EvaluationRegistry, ask: (call: SourceCall) => string): NixInputs {
  const inputs = new Map<string, string>();
  const sources = new Set<string>();
  let scope: NixScope | undefined;
  return {
    importFile(input, outPath, path) {
      inputs.set(outPath, input);
      sources.add(outPath);
      scope ??= createNixScope({ registry, sources, files: createInputFiles(inputs, ask), log: (line) => printed.push(line) });
      return scope.importFile(path === "" ? outPath : `${outPath}/${path}`);
    },
  };
}

function createInputFiles(inputs: ReadonlyMap<string, string>, ask: (call: SourceCall) => string): SourceFiles {
  const locate = (path: ByteString): { readonly input: string; readonly path: ByteString } => {
    for (const [outPath, input] of inputs) {
      if (path === outPath) return { input, path: "" };
      if (path.startsWith(`${outPath}/`)) return { input, path: path.slice(outPath.length + 1) };
    }
    throw new Error(`"${path}" is of no input`);
  };
  return {
    kind: (path) => (JSON.parse(ask({ op: "source", ask: "kind", ...locate(path) })) as NixFileKind | null) ?? undefined,
    read: (path) => ask({ op: "source", ask: "read", ...locate(path) }),
    list: (path) => new Map(JSON.parse(ask({ op: "source", ask: "list", ...locate(path) })) as [ByteString, NixFileKind][]),
    link: (path) => ask({ op: "source", ask: "link", ...locate(path) }),
    hash(path, method, excluded) {
      const { input, path: file } = locate(path);
      const without = excluded.map((one) => locate(one).path);
      const hash = JSON.parse(ask({ op: "source", ask: "hash", input, path: file, method, excluded: without })) as string;
      return { hash, file: file === "" ? "." : file, input, excluded: without };
    },
  };
}

/**
 * `pkgs.NAME` for each input: the packages of a collection such as nixpkgs, with the input's own `config` and
 * `overlays`. A name that the package set has itself stays what it is there.
 */
export function createCollections(inputs: Readonly<Record<string, Input>>, taken: (name: string) => boolean, system: string): Overlay {
  const collections = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (taken(name)) continue;
    Object.defineProperty(collections, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const collection: unknown = input.nix();
        const { config = {}, overlays = [] } = input.options;
        return typeof collection === "function" ? (collection as (args: object) => unknown)({ system, config, overlays }) : collection;
      },
    });
  }
  return () => collections;
}
