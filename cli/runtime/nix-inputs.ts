import type { NixFileKind } from "../../core/nix/nix-io.ts";
import { PUBLIC_CACHE } from "../../core/cache/public-cache.ts";
import { NIX_PROJECT } from "../../core/config/protocol.ts";
import type { ParsedSourceCall } from "../../core/config/parsed-sources.ts";
import type { SourceCall, SourceFiles } from "../../core/config/source-files.ts";
import type { EvaluationRegistry, Input, Overlay } from "../../core/index.ts";
import { createIsolateParsedFiles } from "../../core/interop/isolate-parsed-files.ts";
import { createNixScope, type NixScope } from "../../core/interop/nix-scope.ts";
import { canonicalPath } from "../../core/nix/canonical-path.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { fromByteString, toByteString, type ByteString } from "../../core/util/bytes.ts";
import type { EvaluationHost } from "./isolate-main.ts";
import { printed } from "./prelude.ts";

/** The Nix expressions in the project and in the inputs of one evaluation. */
export type NixInputs = {
  /** What a file of an input evaluates to; without a path its `default.nix`. */
  importFile(input: string, outPath: string, path: string): unknown;
  /** Lets expressions see an input. @returns the path of the file */
  showFile(input: string, outPath: string, path: string): string;
  showProjectFile(folder: string, path: string, input?: string): string;
  /** What a text that is written in a folder of the project evaluates to. */
  evaluate(folder: string, text: string, input?: string): unknown;
  scope(): NixScope;
  /** Says that packages of an input are used, so that its binary cache is asked for them. */
  useCaches(input: Input): void;
};

/** Begun when the first expression is evaluated: most configurations have none. */
export function createNixInputs(registry: EvaluationRegistry, { source: ask, parsed }: Pick<EvaluationHost, "source" | "parsed">): NixInputs {
  const inputs = new Map<string, string | undefined>();
  const sources = new Set<string>();
  let scope: NixScope | undefined;
  const open = (): NixScope => (scope ??= createNixScope({ registry, sources, files: createInputFiles(inputs, ask, parsed), log: (line) => printed.push(line) }));
  const show = (root: string, input: string | undefined, path: string): string => {
    inputs.set(root, input);
    sources.add(root);
    return path === "" ? root : `${root}/${path}`;
  };
  return {
    scope: open,
    useCaches: ({ options }) => registry.useCollectionCaches(options.substituters ?? PUBLIC_CACHE.substituters, options.trustedPublicKeys ?? PUBLIC_CACHE.trustedPublicKeys),
    importFile: (input, outPath, path) => open().importFile(show(outPath, input, path)),
    showFile: (input, outPath, path) => show(outPath, input, path),
    evaluate(folder, text, input) {
      if (input !== undefined) throw new TsosError({ code: "input.nix-file", message: `a module of the input "${input}" has an expression of Nix`, hint: "write it in a file of the input: inputs.NAME.nix(…)" });
      if (typeof text !== "string") throw new TsosError({ code: "nix.not-an-expression", message: `nixExpression takes a text in the Nix language, got ${text === null ? "null" : typeof text}` });
      show(NIX_PROJECT, undefined, "");
      return open().evaluate(text, folder === "" || folder === "." ? NIX_PROJECT : `${NIX_PROJECT}/${folder}`);
    },
    showProjectFile(folder, path, input) {
      if (input !== undefined) throw new TsosError({ code: "input.nix-file", message: `a module of the input "${input}" names the Nix file "${path}"`, hint: "let who declares the input name it: inputs.NAME.nixFile(…)" });
      if (typeof path !== "string" || path === "" || path.startsWith("/")) throw new TsosError({ code: "config.bad-path", message: `${JSON.stringify(path)} is not a path to a file of the project`, hint: 'name it relative to the file that you write: nixFile("./hardware.nix")' });
      const full = canonicalPath(toByteString(`/${folder}/${path}`));
      if (`/${folder}/${path}`.split("/").reduce((depth, part) => (depth < 0 ? depth : part === ".." ? depth - 1 : part === "" || part === "." ? depth : depth + 1), 0) < 0) throw new TsosError({ code: "config.outside-project", message: `"${path}" is outside of the project`, hint: "make it an input, or move it into the project" });
      const found = show(NIX_PROJECT, undefined, fromByteString(full).replace(/^\//, ""));
      if (ask({ op: "source", ask: "kind", path: full.replace(/^\//, "") }) === "null") throw new TsosError({ code: "config.missing-file", message: `there is no "${path}"`, hint: "the path is relative to the file that you write" });
      return found;
    },
  };
}

function createInputFiles(inputs: ReadonlyMap<string, string | undefined>, ask: (call: SourceCall) => string, askParsed: (call: ParsedSourceCall) => string): SourceFiles {
  const parsed = createIsolateParsedFiles(askParsed);
  const locate = (path: ByteString): { readonly input: string | undefined; readonly path: ByteString } => {
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
    compiled(path, basePath, globals) {
      const { input, path: file } = locate(path);
      // The project's own files are few, and the program notes that they are read.
      return input === undefined ? undefined : parsed.find(input, file, basePath, globals);
    },
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
export function createCollections(inputs: Readonly<Record<string, Input>>, taken: (name: string) => boolean, system: string, nix: NixInputs): Overlay {
  const collections = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (taken(name)) continue;
    Object.defineProperty(collections, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const collection: unknown = input.nix();
        nix.useCaches(input);
        const { config = {}, overlays = [] } = input.options;
        return typeof collection === "function" ? (collection as (args: object) => unknown)({ system, config, overlays }) : collection;
      },
    });
  }
  return () => collections;
}
