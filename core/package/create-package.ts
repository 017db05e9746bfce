import type { BuildAttributes, CompileAttributes } from "./build-attributes.ts";
import type { EvaluationRegistry } from "./evaluation-registry.ts";
import type { RecordedDerivation } from "./recorded-derivation.ts";
import { isPackage, type Package, type PackageMeta, type PackageUpdate } from "./package.ts";
import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath } from "../store-path/store-path.ts";
import { findNearestName } from "../util/suggest.ts";

export type AttributesChange = (previous: BuildAttributes) => BuildAttributes;

/** What the values of a package's outputs share. */
interface PackageCore {
  readonly name: string;
  readonly pname: string;
  readonly version: string;
  readonly meta: PackageMeta;
  readonly outputs: readonly string[];
  readonly attributes: BuildAttributes;
  readonly recorded: RecordedDerivation;
  readonly storeDir: string;
  readonly test: Package | undefined;
  readonly update: PackageUpdate | undefined;
  override(changes: Readonly<Record<string, unknown>>): Package;
  overrideAttrs(change: AttributesChange): Package;
}

/** One output of a package. Its fields are private and computed when asked, so a frozen value still works. */
class PackageValue implements Package {
  readonly #core: PackageCore;
  readonly #output: string | undefined;

  constructor(core: PackageCore, output?: string) {
    this.#core = core;
    this.#output = output;
  }

  get kind(): "derivation" {
    return "derivation";
  }
  get type(): "derivation" {
    return "derivation";
  }
  get name(): string {
    return this.#core.name;
  }
  get pname(): string {
    return this.#core.pname;
  }
  get version(): string {
    return this.#core.version;
  }
  get meta(): PackageMeta {
    return this.#core.meta;
  }
  get outputs(): readonly string[] {
    return this.#core.outputs;
  }
  get outputName(): string {
    return this.#output ?? this.#core.outputs[0] ?? "out";
  }
  get outPath(): string {
    const core = this.#core;
    const path = core.recorded.outputs.get(this.outputName);
    if (path === undefined) throw unknownOutput(core, this.outputName);
    return formatStorePath(path, core.storeDir);
  }
  get drvPath(): string {
    return formatStorePath(this.#core.recorded.path, this.#core.storeDir);
  }
  get attributes(): BuildAttributes {
    return this.#core.attributes;
  }
  get out(): Package {
    return this.output("out");
  }
  get bin(): Package {
    return this.output("bin");
  }
  get dev(): Package {
    return this.output("dev");
  }
  get lib(): Package {
    return this.output("lib");
  }
  get man(): Package {
    return this.output("man");
  }
  get doc(): Package {
    return this.output("doc");
  }
  output(name: string): Package {
    if (!this.#core.outputs.includes(name)) throw unknownOutput(this.#core, name);
    return new PackageValue(this.#core, name);
  }
  get test(): Package | undefined {
    return this.#core.test;
  }
  get update(): PackageUpdate | undefined {
    return this.#core.update;
  }
  override(changes: Readonly<Record<string, unknown>>): Package {
    return keepOutput(this.#core.override(changes), this.#output);
  }
  overrideAttrs(change: AttributesChange): Package {
    return keepOutput(this.#core.overrideAttrs(change), this.#output);
  }
  toString(): string {
    return this.outPath;
  }
  toJSON(): string {
    return this.outPath;
  }
}

function keepOutput(changed: Package, output: string | undefined): Package {
  return output === undefined ? changed : changed.output(output);
}

function unknownOutput(core: PackageCore, output: string): TsosError {
  const nearest = findNearestName(output, core.outputs);
  return new TsosError({
    code: "package.unknown-output",
    message: `package "${core.name}" has no output "${output}", expected one of ${core.outputs.map((name) => `"${name}"`).join(", ")}`,
    hint: nearest === undefined ? undefined : `did you mean "${nearest}"?`,
    data: { package: core.name, output },
  });
}

/**
 * A package from a build's attributes: the way that `mkDerivation` and its like make one. Nothing is computed
 * until its path is asked for.
 */
export function createPackage(registry: EvaluationRegistry, attributes: BuildAttributes, compile: CompileAttributes): Package {
  return withPassthru(new PackageValue(new AttributesCore(registry, attributes, compile)), attributes.passthru);
}

class AttributesCore implements PackageCore {
  readonly #registry: EvaluationRegistry;
  readonly #compile: CompileAttributes;
  readonly attributes: BuildAttributes;
  /** Where it was made, long before it is computed; formatted only when an error asks for it. */
  readonly #origin = new Error("made here");
  #recorded: RecordedDerivation | undefined;

  constructor(registry: EvaluationRegistry, attributes: BuildAttributes, compile: CompileAttributes) {
    this.#registry = registry;
    this.#compile = compile;
    this.attributes = Object.freeze(attributes);
  }

  get name(): string {
    const { name, pname, version } = this.attributes;
    return name ?? (version === undefined ? (pname ?? "unnamed") : `${pname ?? "unnamed"}-${version}`);
  }
  get pname(): string {
    return this.attributes.pname ?? splitName(this.name).pname;
  }
  get version(): string {
    return this.attributes.version ?? (this.attributes.pname === undefined ? splitName(this.name).version : "");
  }
  get meta(): PackageMeta {
    return Object.freeze(this.attributes.meta ?? {});
  }
  get outputs(): readonly string[] {
    return this.attributes.outputs ?? ["out"];
  }
  get storeDir(): string {
    return this.#registry.storeDir;
  }
  get recorded(): RecordedDerivation {
    try {
      this.#recorded ??= this.#registry.stack.run(this, this.name, () => this.#registry.derive(this.#compile(this.attributes)));
      return this.#recorded;
    } catch (error) {
      throw withOrigin(error, this.#origin);
    }
  }
  get test(): undefined {
    return undefined;
  }
  get update(): undefined {
    return undefined;
  }

  override(): never {
    throw new TsosError({
      code: "package.not-overridable",
      message: `package "${this.name}" has no arguments to override: it was not made by definePackage`,
      hint: "change its attributes with overrideAttrs",
    });
  }

  overrideAttrs(change: AttributesChange): Package {
    return createPackage(this.#registry, applyChange(this.attributes, change, this.name), this.#compile);
  }
}

/** An error of what a package is made of, with where it was made: the innermost, which is the one to blame. */
function withOrigin(error: unknown, origin: Error): unknown {
  if (!(error instanceof TsosError) || "madeAt" in error.data) return error;
  const { code, message, hint, at, related, data, cause, stack } = error;
  const located = new TsosError({ code, message, hint, at, related, data: { ...data, madeAt: { stack: origin.stack } }, cause });
  if (stack !== undefined) located.stack = stack;
  return located;
}

function applyChange(attributes: BuildAttributes, change: AttributesChange, name: string): BuildAttributes {
  const changes: unknown = change(attributes);
  if (typeof changes !== "object" || changes === null || Array.isArray(changes) || isPackage(changes)) {
    throw new TsosError({
      code: "package.bad-override",
      message: `overrideAttrs of package "${name}" must be given a function that returns an object of attributes`,
    });
  }
  const next: Record<string, unknown> = { ...attributes, ...changes };
  // A new pname or version makes a new name, unless the name was given too.
  if (("version" in changes || "pname" in changes) && !("name" in changes)) delete next["name"];
  return next;
}

/** Nix: libstore/names.cc: the version starts after the first dash that no letter follows. */
function splitName(name: string): { readonly pname: string; readonly version: string } {
  const match = /-(?![a-zA-Z])/.exec(name);
  if (match === null) return { pname: name, version: "" };
  return { pname: name.slice(0, match.index), version: name.slice(match.index + 1) };
}

/** What a package made by `definePackage` knows without running its `build`. */
export type DefinedPackageInit = {
  readonly registry: EvaluationRegistry;
  readonly pname: string;
  readonly version: string;
  readonly meta: PackageMeta;
  readonly update: PackageUpdate | undefined;
  readonly passthru: Readonly<Record<string, unknown>> | undefined;
  /** The names of its own options. */
  readonly options: readonly string[];
  /** Whether `build` could be given an argument of this name. */
  takes(name: string): boolean;
  /** Runs the package's `build` with its arguments changed by `changes`. */
  build(changes: Readonly<Record<string, unknown>>): Package;
  test(changes: Readonly<Record<string, unknown>>, self: Package): Package | undefined;
};

/** A package whose arguments and attributes can both be changed, in any order, again and again. */
export function createDefinedPackage(
  init: DefinedPackageInit,
  changes: Readonly<Record<string, unknown>> = {},
  attributesChanges: readonly AttributesChange[] = [],
): Package {
  const core = new DefinedCore(init, changes, attributesChanges);
  core.self = withPassthru(new PackageValue(core), init.passthru);
  return core.self;
}

class DefinedCore implements PackageCore {
  readonly #init: DefinedPackageInit;
  readonly #changes: Readonly<Record<string, unknown>>;
  readonly #attributesChanges: readonly AttributesChange[];
  #built: Package | undefined;
  #recorded: RecordedDerivation | undefined;
  #test: { readonly value: Package | undefined } | undefined;
  self: Package | undefined;

  constructor(init: DefinedPackageInit, changes: Readonly<Record<string, unknown>>, attributesChanges: readonly AttributesChange[]) {
    this.#init = init;
    this.#changes = changes;
    this.#attributesChanges = attributesChanges;
  }

  get #package(): Package {
    this.#built ??= this.#init.registry.stack.run(this, this.#init.pname, () => {
      const built = this.#build();
      if (!isPackage(built)) {
        throw new TsosError({
          code: "package.bad-build",
          message: `the build of package "${this.#init.pname}" returned ${built instanceof Promise ? "a Promise" : `"${String(built)}"`}, expected a package`,
          hint: "return what mkDerivation, seedPackage or the like returns; a build is plain code, never async",
        });
      }
      return this.#attributesChanges.reduce((result, change) => result.overrideAttrs(change), built);
    });
    return this.#built;
  }

  #build(): unknown {
    try {
      return this.#init.build(this.#changes);
    } catch (error) {
      // The engine's own limits are told as they are.
      if (error instanceof TsosError || !(error instanceof Error) || error instanceof RangeError) throw error;
      throw new TsosError({ code: "package.build-failed", message: `the build of package "${this.#init.pname}" failed: ${error.name}: ${error.message}`, data: { package: this.#init.pname }, cause: error });
    }
  }

  get name(): string {
    return this.#package.name;
  }
  get pname(): string {
    return this.#attributesChanges.length === 0 ? this.#init.pname : this.#package.pname;
  }
  get version(): string {
    return this.#attributesChanges.length === 0 ? this.#init.version : this.#package.version;
  }
  get meta(): PackageMeta {
    return Object.freeze(this.#attributesChanges.length === 0 ? this.#init.meta : { ...this.#init.meta, ...this.#package.meta });
  }
  get outputs(): readonly string[] {
    return this.#package.outputs;
  }
  get attributes(): BuildAttributes {
    return this.#package.attributes;
  }
  get storeDir(): string {
    return this.#init.registry.storeDir;
  }
  get recorded(): RecordedDerivation {
    this.#recorded ??= this.#init.registry.getRecorded(this.#package.drvPath);
    return this.#recorded;
  }
  get test(): Package | undefined {
    this.#test ??= { value: this.self === undefined ? undefined : this.#init.test(this.#changes, this.self) };
    return this.#test.value;
  }
  get update(): PackageUpdate | undefined {
    return this.#init.update;
  }

  override(changes: Readonly<Record<string, unknown>>): Package {
    for (const name of Object.keys(changes)) {
      if (this.#init.takes(name)) continue;
      const nearest = findNearestName(name, this.#init.options);
      throw new TsosError({
        code: "package.unknown-argument",
        message: `override of package "${this.#init.pname}" is given "${name}", which is neither an option of it nor a package`,
        hint: nearest !== undefined ? `did you mean "${nearest}"?` : `${this.#init.options.length === 0 ? "it has no options of its own" : `its options are ${this.#init.options.join(", ")}`}; overrideAttrs changes what it is built of`,
        data: { name },
      });
    }
    return createDefinedPackage(this.#init, { ...this.#changes, ...changes }, this.#attributesChanges);
  }

  overrideAttrs(change: AttributesChange): Package {
    return createDefinedPackage(this.#init, this.#changes, [...this.#attributesChanges, change]);
  }
}

/** Adds what the author passes through, lazily, but never over a property that every package has. */
function withPassthru(value: PackageValue, passthru: Readonly<Record<string, unknown>> | undefined): Package {
  if (passthru === undefined) return value;
  for (const key of Object.keys(passthru)) {
    if (key in PackageValue.prototype) {
      throw new TsosError({
        code: "package.bad-passthru",
        message: `passthru of package "${value.pname}" cannot redefine "${key}", which every package has`,
      });
    }
    Object.defineProperty(value, key, { get: () => passthru[key], enumerable: false, configurable: true });
  }
  return value;
}
