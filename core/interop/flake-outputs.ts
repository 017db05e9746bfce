import type { Evaluator } from "../nix/evaluator.ts";
import { describeDerivation } from "../nix/find-derivations.ts";
import { formatNixError, NixError } from "../nix/nix-error.ts";
import { showType } from "../nix/type-name.ts";
import { Attrs, Closure, NO_POSITION, textOf, type Slot, type Value } from "../nix/value.ts";
import type { ByteString } from "../util/bytes.ts";
import type { FoundDerivation, FoundProgram } from "./evaluation-protocol.ts";

/** The value at a path of names in a set; undefined where there is none. */
export function findAttribute(e: Evaluator, from: Slot, names: readonly ByteString[]): Slot | undefined {
  let at: Slot | undefined = from;
  for (const name of names) {
    if (at === undefined) return undefined;
    const set: Value = e.force(at);
    at = set instanceof Attrs ? set.get(name) : undefined;
  }
  return at;
}

/** The interactive bash of the `nixpkgs` that a flake has as its input, as a derivation; undefined where it has none. */
export function findFlakeBash(e: Evaluator, flake: Value, system: ByteString): FoundDerivation | undefined {
  try {
    const found = findAttribute(e, flake, ["inputs", "nixpkgs", "legacyPackages", system, "bashInteractive"]);
    const set = found === undefined ? undefined : e.force(found);
    return set instanceof Attrs && e.isDerivation(set) ? { ...describeDerivation(e, set), outputName: "out", isShell: true } : undefined;
  } catch (error) {
    // Then the shell is the machine's own bash, as it is for a flake without nixpkgs.
    if (error instanceof NixError) return undefined;
    throw error;
  }
}

/** What running a value means: an app's program, or a package's main program. Nix: src/libcmd/installables, src/nix/app.cc */
export function describeProgram(e: Evaluator, slot: Slot, shown: string): FoundProgram {
  const set = e.force(slot);
  if (!(set instanceof Attrs)) throw e.error("type", `${shown} is ${showType(set)} while an app or a derivation was expected`);
  const text = (from: Attrs, name: ByteString): ByteString | undefined => {
    const found = from.get(name);
    return found === undefined ? undefined : textOf(e.forceString(found, NO_POSITION, `while evaluating the attribute '${name}' of ${shown}`));
  };
  const type = text(set, "type");
  if (type === "app") {
    const program = set.get("program");
    if (program === undefined) throw e.error("eval", `${shown} is an app without the attribute 'program'`);
    const context = new Set<ByteString>();
    const path = e.coerceToString(program, NO_POSITION, context, `while evaluating the program of ${shown}`, false, false);
    const needs: FoundDerivation[] = [];
    const sources: ByteString[] = [];
    for (const element of context) {
      // `!out!drv`, `=drv`, or a path.
      const output = /^!([^!]*)!(.*)$/s.exec(element);
      if (output !== null) needs.push({ drvPath: `${e.io.storeDir}/${output[2]!}`, outputName: output[1]! });
      else if (!element.startsWith("=")) sources.push(element);
    }
    return { program: path, needs, sources };
  }
  if (type !== "derivation") throw e.error("type", `${shown} has the type '${type ?? ""}' while an app or a derivation was expected`);
  const found = describeDerivation(e, set);
  const meta = set.get("meta");
  const described = meta === undefined ? undefined : e.force(meta);
  const main = described instanceof Attrs ? text(described, "mainProgram") : undefined;
  const name = text(set, "pname") ?? (text(set, "name") ?? "").replace(/-[0-9].*$/s, "");
  const outPath = textOf(e.forceString(set.get("outPath")!, NO_POSITION, `while evaluating the path of ${shown}`));
  return { program: `${outPath}/bin/${main ?? name}`, needs: [found], sources: [] };
}

export type FlakeReport = {
  /** `packages.x86_64-linux.default` and what it is. */
  readonly outputs: readonly { readonly path: string; readonly kind: string }[];
  readonly problems: readonly { readonly path: string; readonly error: string }[];
  readonly notes: readonly string[];
};

const PER_SYSTEM = { checks: "derivation", packages: "derivation", devShells: "derivation", apps: "app" } as const;
const SINGLE = { devShell: "derivation", defaultPackage: "derivation", defaultApp: "app", formatter: "derivation", bundlers: "any", legacyPackages: "any", hydraJobs: "any" } as const;
const FUNCTIONS = { overlay: "an overlay", nixosModule: "a module", overlays: "an overlay", nixosModules: "a module" } as const;

/** Evaluates what a flake has for this system, and looks whether it is what its name says. Nix: src/nix/flake.cc */
export function checkFlake(e: Evaluator, flake: Value, system: ByteString): FlakeReport {
  const outputs: { path: string; kind: string }[] = [];
  const problems: { path: string; error: string }[] = [];
  const notes: string[] = [];
  const tried = (path: string, kind: string, look: () => void): void => {
    try {
      look();
      outputs.push({ path, kind });
    } catch (error) {
      if (!(error instanceof NixError)) throw error;
      problems.push({ path, error: formatNixError(error, { showTrace: false }) });
    }
  };
  const each = (slot: Slot, path: string, visit: (name: ByteString, inner: Slot) => void): void => {
    let set: Value | undefined;
    try {
      set = e.forceAttrs(slot, NO_POSITION, `while evaluating the flake's output '${path}'`);
    } catch (error) {
      if (!(error instanceof NixError)) throw error;
      problems.push({ path, error: formatNixError(error, { showTrace: false }) });
    }
    if (set instanceof Attrs) set.shape.names.forEach((name, index) => visit(name, (set as Attrs).at(index)));
  };
  const derivation = (slot: Slot, path: string): void => {
    const value = e.force(slot);
    if (!(value instanceof Attrs) || !e.isDerivation(value)) throw e.error("type", `the flake's output '${path}' is not a derivation`);
    describeDerivation(e, value);
  };
  const check = (kind: "derivation" | "app" | "any", slot: Slot, path: string): void => {
    if (kind === "derivation") tried(path, kind, () => derivation(slot, path));
    else if (kind === "app") tried(path, kind, () => void describeProgram(e, slot, `the flake's output '${path}'`));
    else tried(path, "value", () => void e.force(slot));
  };
  const own = e.force(flake);
  const top = own instanceof Attrs ? own.get("outputs") : undefined;
  if (top === undefined) return { outputs, problems, notes };
  each(top, "outputs", (name, slot) => {
    if (Object.hasOwn(PER_SYSTEM, name)) {
      each(slot, name, (at, inner) => {
        if (at !== system) return void notes.push(`${name}.${at} is not for this system, and was not looked at`);
        each(inner, `${name}.${at}`, (one, leaf) => check(PER_SYSTEM[name as keyof typeof PER_SYSTEM], leaf, `${name}.${at}.${one}`));
      });
    } else if (Object.hasOwn(SINGLE, name)) {
      const kind = SINGLE[name as keyof typeof SINGLE];
      if (kind === "any") return check("any", slot, name);
      each(slot, name, (at, inner) => (at === system ? check(kind, inner, `${name}.${at}`) : notes.push(`${name}.${at} is not for this system, and was not looked at`)));
    } else if (name === "nixosConfigurations") {
      each(slot, name, (host, inner) =>
        tried(`${name}.${host}`, "system", () => {
          const toplevel = findAttribute(e, inner, ["config", "system", "build", "toplevel"]);
          if (toplevel === undefined) throw e.error("eval", `the flake's output '${name}.${host}' has no toplevel`);
          derivation(toplevel, `${name}.${host}.config.system.build.toplevel`);
        }),
      );
    } else if (Object.hasOwn(FUNCTIONS, name)) {
      const isFunction = (inner: Slot, path: string): void =>
        tried(path, "function", () => {
          const value = e.force(inner);
          const isFine = value instanceof Closure || (name.startsWith("nixosModule") && value instanceof Attrs) || typeof value === "string";
          if (!isFine) throw e.error("type", `the flake's output '${path}' is not ${FUNCTIONS[name as keyof typeof FUNCTIONS]}`);
        });
      if (name.endsWith("s")) each(slot, name, (one, inner) => isFunction(inner, `${name}.${one}`));
      else isFunction(slot, name);
    } else if (name === "templates") {
      each(slot, name, (one, inner) =>
        tried(`${name}.${one}`, "template", () => {
          const set = e.forceAttrs(inner, NO_POSITION, "while evaluating a template");
          for (const needed of ["path", "description"]) if (set.get(needed) === undefined) throw e.error("eval", `template '${name}.${one}' lacks the attribute '${needed}'`);
        }),
      );
    } else tried(name, "value", () => void e.force(slot));
  });
  return { outputs, problems, notes };
}
