import { TsosError } from "../error/tsos-error.ts";
import { parseHash } from "../hash/hash.ts";
import { moduleKey, type DeclaredInput, type InputTree } from "../option/declared-input.ts";
import type { Module, ModuleInput } from "../option/module.ts";
import { createModule } from "../option/module.ts";
import { makeFixedOutputPath } from "../store-path/make-store-path.ts";
import { formatStorePath } from "../store-path/store-path.ts";
import type { EvaluationRegistry } from "./evaluation-registry.ts";
import type { Package } from "./package.ts";
import { createNixFile, type NixFile } from "./nix-file.ts";
import { createProjectFiles, type ProjectFiles, type ProjectReader } from "./project-files.ts";

/** What is not about where the source is: handed to whoever makes something of it, kept in no lock file. */
export type InputOptions = {
  /** Whether a `flake.nix` in it is one to evaluate; false takes it as nothing but a tree. */
  readonly flake?: boolean;
  /** For a source of packages: nixpkgs' own `config`, such as `{ allowUnfree: true }`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** For a source of packages: what is laid over them, as functions of the finished set and of the one before. */
  readonly overlays?: readonly ((final: NixPackages, prev: NixPackages) => Readonly<Record<string, unknown>>)[];
  /**
   * For a source of packages: the binary caches that have them, asked for nothing else. Default: the public cache of
   * NixOS; none: `[]`.
   */
  readonly substituters?: readonly string[];
  /** Whose signatures count for those, as `name:base64`. Default: the public cache's key. */
  readonly trustedPublicKeys?: readonly string[];
};

/**
 * Packages of a Nix expression, such as nixpkgs: `pkgs.NAME` of an input of that name. What is no package there
 * (functions, sets of packages, `lib`) is as it is; who knows its type says so.
 */
export interface NixPackages {
  readonly [name: string]: NixPackage;
}

/** A package of a Nix expression; also what else stands among packages there. */
export type NixPackage = Package & {
  readonly [name: string]: unknown;
};

/** Where a source outside of the project is; `github(…)` and its like make it. */
export type InputSpec = {
  readonly kind: "input-spec";
  /** In the names of Nix's input schemes, or a URL. */
  readonly source: Readonly<Record<string, string | number | boolean>> | string;
  readonly options: InputOptions;
};

/** A source as a configuration uses it. It is fetched when something of it is first read. */
export type Input = {
  readonly kind: "input";
  readonly name: string;
  /** The store path of its tree; whatever uses the string depends on it. The same as `` `${input}` ``. */
  readonly outPath: string;
  /** The hash of its tree, in SRI form. */
  readonly narHash: string;
  /** The commit, where it has one. */
  readonly rev: string | undefined;
  readonly shortRev: string | undefined;
  /** When it was last changed, in seconds since 1970. */
  readonly lastModified: number | undefined;
  readonly options: InputOptions;
  /** A file or folder of it, in a store path of its own: what uses it is not built again when other parts change. */
  path(path: string, options?: { readonly name?: string }): string;
  /** The text of one of its files. */
  readFile(path: string): string;
  /** The names in one of its folders, sorted. */
  readFolder(path?: string): ReturnType<ProjectFiles["readFolder"]>;
  /**
   * The default export of one of its TypeScript files, for `imports`.
   * @example imports: [inputs.common.module("modules/users.ts")]
   */
  module(path: string): ModuleInput;
  /**
   * What one of its Nix files evaluates to; without a path its `default.nix`. Sets, lists and functions are evaluated
   * when they are used, derivations are packages.
   *
   * @example inputs.site.nix("package.nix")({ inherit: pkgs.nixpkgs.stdenv })
   * @throws TsosError `nix.evaluation` with Nix's own trace
   */
  nix<T = unknown>(path?: string): T;
  /**
   * One of its Nix files, unevaluated: for the modules of a NixOS system, and wherever Nix would take its path.
   *
   * @example modules: [inputs.hardware.nixFile("lenovo/thinkpad/x230/default.nix")]
   */
  nixFile(path: string): NixFile;
  toString(): string;
  toJSON(): string;
};

/** A URL with options: `{ url: "path:../nixpkgs", config: { allowUnfree: true } }`. */
export type InputUrl = InputOptions & { readonly url: string };

/** What names a source: a spec, a URL in the form of flakes (`github:owner/repo`), alone or with options, or `path("./folder")`. */
export type InputLike = InputSpec | InputUrl | string;

export type GitInput = InputOptions & {
  /** A branch or tag; the repository's own choice without one. */
  readonly ref?: string;
  /** A commit. */
  readonly rev?: string;
  readonly submodules?: boolean;
  /** Only the commit, without its history. */
  readonly shallow?: boolean;
  /** Look for `rev` on all branches. */
  readonly allRefs?: boolean;
};

export type ForgeInput = InputOptions & {
  readonly rev?: string;
  /** Another server of the same kind. */
  readonly host?: string;
};

export type TarballInput = InputOptions & {
  /** What its tree must hash to, in SRI form. */
  readonly narHash?: string;
};

/**
 * A repository on GitHub, as an archive of one commit. `ref` is a branch, a tag or a commit.
 * @example github("owner/repo")  github("owner/repo", "v1.2")
 */
export function github(repository: string, ref?: string | ForgeInput, options: ForgeInput = {}): InputSpec {
  return forge("github", repository, ref, options);
}

/** The same on GitLab. */
export function gitlab(repository: string, ref?: string | ForgeInput, options: ForgeInput = {}): InputSpec {
  return forge("gitlab", repository, ref, options);
}

/** The same on SourceHut. */
export function sourcehut(repository: string, ref?: string | ForgeInput, options: ForgeInput = {}): InputSpec {
  return forge("sourcehut", repository, ref, options);
}

/**
 * A git repository that the program git reaches: `https://…`, `ssh://…`, `git@host:path`, `file:///…`.
 * @example git("https://git.example/site.git", { ref: "main" })
 */
export function git(url: string, options: GitInput = {}): InputSpec {
  checkText("git", "url", url);
  const { flake, config, overlays, substituters, trustedPublicKeys, ...source } = options;
  return createSpec({ type: "git", url, ...defined(source) }, { flake, config, overlays, substituters, trustedPublicKeys });
}

/**
 * An archive (tar or zip), unpacked; a folder that holds all of it is left out.
 * @example tarball("https://a.example/data-1.0.tar.gz")
 */
export function tarball(url: string, options: TarballInput = {}): InputSpec {
  checkText("tarball", "url", url);
  const { flake, config, overlays, substituters, trustedPublicKeys, ...source } = options;
  return createSpec({ type: "tarball", url, ...defined(source) }, { flake, config, overlays, substituters, trustedPublicKeys });
}

function forge(type: string, repository: string, ref: string | ForgeInput | undefined, more: ForgeInput): InputSpec {
  checkText(type, "repository", repository);
  const match = /^([^/]+(?:\/[^/]+)*)\/([^/]+)$/.exec(repository.replace(/\.git$/, ""));
  if (match === null || (type !== "gitlab" && match[1]!.includes("/"))) {
    throw new TsosError({ code: "input.bad-repository", message: `"${repository}" does not name a repository, expected "owner/repo"`, hint: `${type}("owner/repo", "branch")`, data: { repository } });
  }
  const { flake, config, overlays, substituters, trustedPublicKeys, ...source } = typeof ref === "object" ? ref : more;
  const isRevision = typeof ref === "string" && /^[0-9a-f]{40}$/.test(ref);
  const chosen = typeof ref === "string" ? { [isRevision ? "rev" : "ref"]: ref } : {};
  return createSpec({ type, owner: match[1]!, repo: match[2]!, ...chosen, ...defined(source) }, { flake, config, overlays, substituters, trustedPublicKeys });
}

function createSpec(source: Record<string, string | number | boolean>, options: { readonly [K in keyof Required<InputOptions>]: InputOptions[K] }): InputSpec {
  return Object.freeze({ kind: "input-spec", source: Object.freeze(source), options: Object.freeze(defined(options)) });
}

function defined<T extends object>(value: T): { [K in keyof T]-?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as { [K in keyof T]-?: Exclude<T[K], undefined> };
}

function checkText(what: string, name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") throw new TsosError({ code: "input.bad-spec", message: `${what} needs its ${name} as a string, got ${value === "" ? "an empty one" : typeof value}` });
}

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

type InputParts = Pick<Input, "path" | "readFile" | "module"> & {
  readonly outPath: () => string;
  readonly tree: () => InputTree;
  readonly readFolder: (path: string) => ReturnType<ProjectFiles["readFolder"]>;
  readonly nix: (path: string) => unknown;
  readonly nixFile: (path: string) => NixFile;
};

function createInput(name: string, options: InputOptions, parts: InputParts): Input {
  const text = (attribute: string): string | undefined => {
    const value = parts.tree().attributes[attribute];
    return typeof value === "string" ? value : undefined;
  };
  return Object.freeze({
    kind: "input",
    name,
    options,
    get outPath() {
      return parts.outPath();
    },
    get narHash() {
      return parts.tree().narHash;
    },
    get rev() {
      return text("rev");
    },
    get shortRev() {
      return text("rev")?.slice(0, 7);
    },
    get lastModified() {
      const value = parts.tree().attributes["lastModified"];
      return typeof value === "number" ? value : undefined;
    },
    path: parts.path,
    readFile: parts.readFile,
    readFolder: (path: string = ".") => parts.readFolder(path),
    module: parts.module,
    nix: <T>(path: string = "") => parts.nix(path.replace(/^(\.?\/)+/, "")) as T,
    nixFile: (path: string) => parts.nixFile(path.replace(/^(\.?\/)+/, "")),
    toString: parts.outPath,
    toJSON: parts.outPath,
  });
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

function isInput(value: unknown): value is Input {
  return typeof value === "object" && value !== null && (value as Partial<Input>).kind === "input";
}

/**
 * Names the sources outside of the project that a configuration uses. They are locked in `tsos.lock`.
 *
 * @example
 * const inputs = defineInputs({ common: github("me/common") });
 * export default defineSystem({ inputs, imports: [inputs.common.module("modules/users.ts")] });
 */
export function defineInputs<const T extends Readonly<Record<string, InputLike>>>(_specs: T): { readonly [K in keyof T]: Input } {
  throw new TsosError({ code: "package.no-project", message: `"defineInputs" works only in a configuration that tsos evaluates`, hint: "tsos eval" });
}
