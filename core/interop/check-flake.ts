import type { Evaluator } from "../nix/evaluator.ts";
import { describeDerivation } from "../nix/find-derivations.ts";
import { formatNixError, NixError } from "../nix/nix-error.ts";
import { showType } from "../nix/type-name.ts";
import { Attrs, Closure, NixString, NO_POSITION, textOf, type Slot, type Value } from "../nix/value.ts";
import type { ByteString } from "../util/bytes.ts";
import { findAttribute } from "./flake-outputs.ts";
import type { FlakeReport } from "./flake-report.ts";

/** Names that are known and not looked into. */
const UNCHECKED: ReadonlySet<string> = new Set(["lib", "darwinConfigurations", "darwinModules", "flakeModule", "flakeModules", "herculesCI", "homeConfigurations", "homeModule", "homeModules", "nixopsConfigurations"]);

const REPLACEMENTS: Readonly<Record<string, string>> = {
  defaultPackage: "packages.<system>.default",
  defaultApp: "apps.<system>.default",
  defaultTemplate: "templates.default",
  defaultBundler: "bundlers.<system>.default",
  overlay: "overlays.default",
  devShell: "devShells.<system>.default",
  nixosModule: "nixosModules.default",
};

/** A value and where its name is written. */
type Placed = { readonly slot: Slot; readonly at: number };

type Look = (value: Placed, path: string) => string;

/**
 * Evaluates what a flake has for this system (with `all` for every system), and looks whether it is what its name says; unlike the reference it goes on
 * after what is wrong. Nix: src/nix/flake.cc
 */
export function checkFlake(e: Evaluator, flake: Value, system: ByteString, all = false): FlakeReport {
  const outputs: { path: string; kind: string }[] = [];
  const checks: { path: string; drvPath: ByteString }[] = [];
  const problems: { path: string; error: string }[] = [];
  const warnings: string[] = [];
  const omitted = new Set<string>();

  const fail = (path: string, error: unknown, top: { readonly name: string; readonly at: number }): void => {
    if (!(error instanceof NixError)) throw error;
    e.trace(error, `while checking flake output '${top.name}'`, top.at);
    problems.push({ path, error: formatNixError(error, { showTrace: false }) });
  };
  const members = (slot: Slot): readonly (readonly [ByteString, Placed])[] => {
    const set = e.forceAttrs(slot, NO_POSITION, "");
    return set.shape.names.map((name, index) => [name, { slot: set.at(index), at: e.placeOf(set.places, index) }] as const);
  };
  const within = <T>(what: string, at: number, body: () => T): T => {
    try {
      return body();
    } catch (error) {
      if (error instanceof NixError) e.trace(error, what, at);
      throw error;
    }
  };

  const derivation: Look = ({ slot, at }, path) =>
    within(`while checking the derivation '${path}'`, at, () => {
      const value = e.force(slot);
      if (!(value instanceof Attrs) || !e.isDerivation(value)) throw e.error("type", `flake attribute '${path}' is not a derivation`);
      const { drvPath } = describeDerivation(e, value);
      // Those of other systems are not to be built here.
      if (path.startsWith(`checks.${system}.`)) checks.push({ path, drvPath });
      return "derivation";
    });
  const text = (slot: Slot, at: number): void => void e.forceString(slot, at, "");
  const only = (set: Attrs, names: readonly string[], what: string): void => {
    for (const name of set.shape.names) if (!names.includes(name)) throw e.error("eval", `${what} has unsupported attribute '${name}'`);
  };
  const app: Look = ({ slot, at }, path) =>
    within(`while checking the app definition '${path}'`, at, () => {
      const set = e.forceAttrs(slot, at, "");
      for (const name of ["type", "program"]) {
        const found = set.get(name);
        if (found === undefined) throw e.error("eval", `app '${path}' lacks attribute '${name}'`);
        text(found, at);
      }
      const meta = set.get("meta");
      if (meta === undefined) warnings.push(`app '${path}' lacks attribute 'meta'`);
      else {
        const description = e.forceAttrs(meta, at, "").get("description");
        if (description === undefined) warnings.push(`app '${path}' lacks attribute 'meta.description'`);
        else text(description, at);
      }
      only(set, ["type", "program", "meta"], `app '${path}'`);
      return "app";
    });
  const overlay: Look = ({ slot, at }, path) =>
    within(`while checking the overlay '${path}'`, at, () => {
      const value = e.force(slot);
      if (!(value instanceof Closure)) throw e.error("type", `overlay is not a function, but ${showType(value)} instead`);
      return "overlay";
    });
  const module: Look = ({ slot, at }, path) => within(`while checking the NixOS module '${path}'`, at, () => (void e.force(slot), "module"));
  const nixos: Look = ({ slot, at }, path) =>
    within(`while checking the NixOS configuration '${path}'`, at, () => {
      const names = ["config", "system", "build", "toplevel"];
      for (let length = 1; length <= names.length; length++) {
        if (findAttribute(e, slot, names.slice(0, length)) === undefined) throw e.error("eval", `attribute '${names[length - 1]!}' in selection path '${names.join(".")}' not found`);
      }
      const value = e.force(findAttribute(e, slot, names)!);
      if (!(value instanceof Attrs) || !e.isDerivation(value)) throw e.error("type", `attribute '${names.join(".")}' is not a derivation`);
      void describeDerivation(e, value);
      return "system";
    });
  const jobs: Look = ({ slot, at }, path) =>
    within(`while checking the Hydra jobset '${path}'`, at, () => {
      const set = e.forceAttrs(slot, at, "");
      if (e.isDerivation(set)) throw e.error("type", "jobset should not be a derivation at top-level");
      for (const [name, inner] of members(slot)) {
        const value = e.forceAttrs(inner.slot, inner.at, "");
        if (e.isDerivation(value)) within(`while checking the Hydra job '${path}.${name}'`, inner.at, () => void describeDerivation(e, value));
        else jobs(inner, `${path}.${name}`);
      }
      return "jobs";
    });
  const template: Look = ({ slot, at }, path) =>
    within(`while checking the template '${path}'`, at, () => {
      const set = e.forceAttrs(slot, at, "");
      const folder = set.get("path");
      if (folder === undefined) throw e.error("eval", `template '${path}' lacks attribute 'path'`);
      const value = e.force(folder);
      const shown = typeof value === "string" || value instanceof NixString ? textOf(value) : e.coerceToPath(folder, at, new Set(), "");
      if (e.io.fileKind(shown) === undefined) throw e.error("eval", `template '${path}' refers to a non-existent path '${shown}'`);
      const description = set.get("description");
      if (description === undefined) throw e.error("eval", `template '${path}' lacks attribute 'description'`);
      text(description, at);
      only(set, ["path", "description", "welcomeText"], `template '${path}'`);
      return "template";
    });
  const bundler: Look = ({ slot, at }, path) =>
    within(`while checking the template '${path}'`, at, () => {
      if (!(e.force(slot) instanceof Closure)) throw e.error("type", "bundler must be a function");
      return "bundler";
    });

  /** One of each name. */
  const each = (look: Look): Look => (placed, path) => {
    for (const [name, inner] of members(placed.slot)) attempt(inner, `${path}.${name}`, look);
    return "";
  };
  /** One for each system. */
  const perSystem = (look: Look | undefined): Look => (placed, path) => {
    for (const [name, inner] of members(placed.slot)) {
      const shown = e.positionAt(inner.at);
      if (!name.includes("-")) throw e.error("eval", `'${name}' is not a valid system type${shown === undefined ? "" : `, at ${shown.file}:${shown.line}:${shown.column}`}`);
      if (name !== system && !all) omitted.add(name);
      else if (look !== undefined) attempt(inner, `${path}.${name}`, look);
      else outputs.push({ path: `${path}.${name}`, kind: "packages" });
    }
    return "";
  };
  const KINDS: Readonly<Record<string, Look>> = {
    checks: perSystem(each(derivation)),
    packages: perSystem(each(derivation)),
    devShells: perSystem(each(derivation)),
    apps: perSystem(each(app)),
    formatter: perSystem(derivation),
    defaultPackage: perSystem(derivation),
    devShell: perSystem(derivation),
    defaultApp: perSystem(app),
    legacyPackages: perSystem(undefined),
    overlay,
    overlays: each(overlay),
    nixosModule: module,
    nixosModules: each(module),
    nixosConfigurations: each(nixos),
    hydraJobs: jobs,
    defaultTemplate: template,
    templates: each(template),
    defaultBundler: perSystem(bundler),
    bundlers: perSystem(each(bundler)),
  };

  let top = { name: "", at: NO_POSITION };
  const attempt = (placed: Placed, path: string, look: Look): void => {
    try {
      const kind = look(placed, path);
      if (kind !== "") outputs.push({ path, kind });
    } catch (error) {
      fail(path, error, top);
    }
  };
  const outputsSet = flake instanceof Attrs ? flake.get("outputs") : undefined;
  for (const [name, placed] of outputsSet === undefined ? [] : members(outputsSet)) {
    top = { name, at: placed.at };
    const look = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    const replacement = Object.hasOwn(REPLACEMENTS, name) ? REPLACEMENTS[name] : undefined;
    if (replacement !== undefined) warnings.push(`flake output attribute '${name}' is deprecated; use '${replacement}' instead`);
    if (look !== undefined) attempt(placed, name, look);
    else if (UNCHECKED.has(name)) outputs.push({ path: name, kind: "value" });
    else warnings.push(`unknown flake output '${name}'`);
  }
  return { outputs, checks, problems, warnings, omittedSystems: [...omitted].sort() };
}
