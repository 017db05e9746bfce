import { bare, type ConcreteAttributes, type ConcreteExpression } from "./concrete-syntax.ts";

/** A system that is called as a function of nixpkgs, and what is bound around it. */
export type FoundSystem = {
  readonly around: readonly (ConcreteExpression & ({ readonly kind: "let" } | { readonly kind: "with" }))[];
  readonly modules: ConcreteExpression;
  readonly specialArgs: ConcreteExpression | undefined;
};

/** `(import (nixpkgs + "/nixos/lib/eval-config.nix") { … })`, `lib.nixosSystem { … }`, with what is selected from it. */
export function findSystem(e: ConcreteExpression): FoundSystem | undefined {
  const around: FoundSystem["around"][number][] = [];
  for (let at = bare(e); ; ) {
    if (at.kind === "lambda" && (at.formals === undefined || at.formals.list.every(({ name }) => ["nixpkgs", "pkgs", "system", "lib"].includes(name)))) {
      at = bare(at.body);
    } else if (at.kind === "let" || at.kind === "with") {
      around.push(at);
      at = bare(at.body);
    } else if (at.kind === "select") at = bare(at.of);
    else if (at.kind === "call") {
      const set = bare(at.arguments.at(-1)!);
      if (set.kind !== "attributes" || !isSystemFunction(at)) return undefined;
      const modules = valueOf(set, "modules");
      return modules === undefined ? undefined : { around, modules, specialArgs: valueOf(set, "specialArgs") };
    } else return undefined;
  }
}

function isSystemFunction(e: ConcreteExpression & { readonly kind: "call" }): boolean {
  const callee = bare(e.function);
  if (callee.kind === "select") return callee.path.at(-1)?.kind === "static" && (callee.path.at(-1) as { readonly name: string }).name === "nixosSystem";
  if (callee.kind === "call") return isImport(callee.function) && namesEvalConfig(callee.arguments[0]!);
  return isImport(callee) && e.arguments.length === 2 && namesEvalConfig(e.arguments[0]!);
}

function isImport(e: ConcreteExpression): boolean {
  const plain = bare(e);
  return plain.kind === "variable" && plain.name === "import";
}

function namesEvalConfig(e: ConcreteExpression): boolean {
  const plain = bare(e);
  const ending = "nixos/lib/eval-config.nix";
  if (plain.kind === "search-path") return plain.path.endsWith(ending);
  if (plain.kind === "string" || plain.kind === "path") {
    const last = plain.parts.at(-1);
    return last?.kind === "text" && last.text.endsWith(ending);
  }
  return plain.kind === "binary" && plain.operator === "+" && namesEvalConfig(plain.right);
}

export function valueOf(set: ConcreteAttributes, name: string): ConcreteExpression | undefined {
  for (const binding of set.bindings) if (binding.kind === "attribute" && binding.path.length === 1 && binding.path[0]!.kind === "static" && binding.path[0]!.name === name) return binding.value;
  return undefined;
}
