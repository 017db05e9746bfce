import { TsosError } from "../error/tsos-error.ts";
import { parseHash } from "../hash/hash.ts";
import { moduleKey, type DeclaredInput, type InputTree } from "../option/declared-input.ts";
import type { Module, ModuleInput } from "../option/module.ts";
import { createModule } from "../option/module.ts";
import { makeFixedOutputPath } from "../store-path/make-store-path.ts";
import { formatStorePath } from "../store-path/store-path.ts";
import { createInput, isInput } from "./create-input.ts";
import type { EvaluationRegistry } from "./evaluation-registry.ts";
import type { Input, InputLike, InputOptions, InputSpec, InputUrl } from "./input.ts";
import { defined } from "./input-spec.ts";
import { createNixFile, type NixFile } from "./nix-file.ts";
import { createProjectFiles, type ProjectReader } from "./project-files.ts";

/** The host's side. */
export type InputReader = ProjectReader & {
  fetchInput(input: DeclaredInput): InputTree;
  /** Says that a module of an input is needed which the bundle does not have: the evaluation is started again with it. */
  demandModule(input: string, path: string): never;
  /** Evaluates a Nix file of an input that was fetched. */
  importNix(input: string, outPath: string, path: string): unknown;
  /** Lets Nix expressions see an input that was fetched. @returns the path in full */
  showNix(input: string, outPath: string, path: string): string;
};

/** The inputs of one evaluation. */
export type InputTable = {
  /** Handles for what an object declares, by its names. */
  declare<const T extends Readonly<Record<string, InputLike | Input>>>(specs: T, folder: string | undefined, origin: { readonly stack?: string | undefined }): { readonly [K in keyof T]: Input };
  declared(): readonly DeclaredInput[];
};

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/**
 * @param modules the default exports of modules of inputs that the bundle holds, by `moduleKey`
 * @param only whether nothing but what is declared is of interest: then modules of inputs are empty
 */
export function createInputTable(registry: EvaluationRegistry, reader: InputReader, modules: ReadonlyMap<string, unknown>, only: boolean): InputTable {
  const inputs = new Map<string, { readonly input: Input; readonly identity: string; readonly declared: DeclaredInput | undefined }>();

  const declareOne = (name: string, given: InputLike | Input, folder: string | undefined, stack: string): Input => {
    const place = { input: { stack, path: [name], part: "inputs" } };
    if (!NAME.test(name)) throw new TsosError({ code: "input.bad-name", message: `"${name}" is not a name for an input`, hint: "letters, digits, - and _, beginning with a letter", data: place });
    const known = inputs.get(name);
    if (isInput(given)) {
      if (known?.input === given) return given;
      throw new TsosError({ code: "input.renamed", message: `the input "${given.name}" cannot be declared again as "${name}"`, hint: "declare it once, and use the value", data: place });
    }
    const spec = checkSpec(name, given, place);
    const identity = JSON.stringify([spec, typeof spec.source === "string" && spec.source.startsWith(registry.storeDir) ? null : folder]);
    if (known !== undefined) {
      if (known.identity === identity) return known.input;
      throw new TsosError({ code: "input.declared-twice", message: `the input "${name}" is declared twice, with two sources`, hint: "give one of them another name", data: { ...place, other: { stack: known.declared?.stack ?? "", path: [name], part: "inputs" } } });
    }
    const file = typeof spec.source === "string" ? registry.findProjectFile(spec.source) : undefined;
    const declared = file === undefined ? { name, source: spec.source, folder, stack } : undefined;
    const input = file === undefined ? createRemoteInput(declared!, spec.options, place) : createProjectInput(name, spec, file, place);
    inputs.set(name, { input, identity, declared });
    return input;
  };

  const createRemoteInput = (declared: DeclaredInput, options: InputOptions, place: Readonly<Record<string, unknown>>): Input => {
    const { name } = declared;
    let tree: InputTree | undefined;
    const fetched = (): InputTree => (tree ??= located(place, () => reader.fetchInput(declared)));
    const files = createProjectFiles(registry, reader, "", name);
    const read = <T>(body: () => T): T => {
      fetched();
      return located(place, body);
    };
    const outPath = (): string => {
      const path = makeFixedOutputPath({ name: "source", method: "nar", hash: parseHash(fetched().narHash), storeDir: registry.storeDir });
      return registry.addPath("source", formatStorePath(path, registry.storeDir), ".", { input: name }).path;
    };
    return createInput(name, options, {
      outPath,
      tree: fetched,
      nix: (path) => located(place, () => reader.importNix(name, outPath(), path)),
      nixFile: (path) => createNixFile(located(place, () => reader.showNix(name, outPath(), path))),
      path: (path, more) => read(() => files.path(path, more)),
      readFile: (path) => read(() => files.readFile(path)),
      readFolder: (path) => read(() => files.readFolder(path)),
      module: (path) => {
        const found = modules.get(moduleKey(name, path));
        if (only) return emptyModule();
        if (found === undefined) {
          fetched();
          return located(place, () => reader.demandModule(name, path));
        }
        // A guess of what an earlier evaluation used may stand for another tree: the host compares.
        fetched();
        return checkModule(name, path, (found as { readonly default?: unknown }).default, place);
      },
    });
  };

  /** A folder of the project under a name: part of the project, so nothing is locked. */
  const createProjectInput = (name: string, spec: InputSpec, file: string, place: Readonly<Record<string, unknown>>): Input => {
    const outPath = String(spec.source);
    const files = createProjectFiles(registry, reader, file);
    return createInput(name, spec.options, {
      outPath: () => outPath,
      // Nix expressions see it where it is in the project.
      nix: (path) => located(place, () => (reader.evaluateNix(file, "file: import file") as (file: NixFile) => unknown)(createNixFile(reader.showProjectNix(file, path === "" ? "." : path)))),
      nixFile: (path) => createNixFile(located(place, () => reader.showProjectNix(file, path === "" ? "." : path))),
      tree: () => ({ narHash: located(place, () => reader.hashPath(file, ".")).narHash, attributes: {} }),
      path: (path, more) => files.path(path, more),
      readFile: (path) => files.readFile(path),
      readFolder: (path) => files.readFolder(path),
      module: (path) => {
        throw new TsosError({ code: "input.project-module", message: `"${path}" of the input "${name}" is a file of the project itself`, hint: `import it: import module from "./${file}/${path.replace(/^\.\//, "")}"`, data: place });
      },
    });
  };

  return {
    declare: (specs, folder, origin) => {
      const stack = origin.stack ?? "";
      if (typeof specs !== "object" || specs === null || Array.isArray(specs)) throw new TsosError({ code: "input.bad-spec", message: "inputs must be an object of names and sources", hint: 'defineInputs({ common: github("owner/repo") })' });
      return Object.freeze(Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, declareOne(name, spec, folder, stack)]))) as { readonly [K in keyof typeof specs]: Input };
    },
    declared: () => [...inputs.values()].flatMap(({ declared }) => (declared === undefined ? [] : [declared])),
  };
}

/** Says with an error where the input that it is about was declared. */
function located<T>(place: Readonly<Record<string, unknown>>, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    throw new TsosError({ code: error.code, message: error.message, hint: error.hint, at: error.at, related: error.related, data: { ...error.data, ...place } });
  }
}

function checkSpec(name: string, given: unknown, place: Readonly<Record<string, unknown>>): InputSpec {
  if (typeof given === "string") return { kind: "input-spec", source: given, options: {} };
  if (typeof given === "object" && given !== null && (given as Partial<InputSpec>).kind === "input-spec") return given as InputSpec;
  if (typeof given === "object" && given !== null && typeof (given as Partial<InputUrl>).url === "string") {
    const { url, flake, config, overlays, substituters, trustedPublicKeys, ...rest } = given as InputUrl;
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw new TsosError({ code: "input.bad-spec", message: `the input "${name}" has the unknown option "${unknown}"`, hint: "beside url there are flake, config, overlays, substituters and trustedPublicKeys", data: place });
    return { kind: "input-spec", source: url, options: defined({ flake, config, overlays, substituters, trustedPublicKeys }) };
  }
  throw new TsosError({ code: "input.bad-spec", message: `the input "${name}" is ${given === null ? "null" : Array.isArray(given) ? "a list" : typeof given}, expected a source`, hint: 'github("owner/repo"), git(url), tarball(url), path("./folder"), a URL such as "github:owner/repo", or { url, config: { … } }', data: place });
}

function checkModule(input: string, path: string, value: unknown, place: Readonly<Record<string, unknown>>): ModuleInput {
  if (typeof value === "function" || (typeof value === "object" && value !== null)) return value as ModuleInput;
  throw new TsosError({ code: "input.no-module", message: `"${path}" of the input "${input}" has no default export that is a module`, hint: "it should say: export default defineModule({ … })", data: place });
}

function emptyModule(): Module {
  return createModule({}, undefined);
}
