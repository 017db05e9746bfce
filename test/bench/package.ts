/** The package set: how long it takes from nothing to every package's derivation. */
import { EvaluationRegistry } from "../../core/index.ts";
import { createPackages, packageNames } from "../../pkgs/index.ts";

export const benchmarks: readonly { readonly name: string; run(): Promise<{ readonly ours: number; readonly reference?: number }> }[] = [
  { name: "package: one package, with all that it is made of (nginx)", run: async () => ({ ours: measure(["nginx"]) }) },
  { name: `package: all ${packageNames.length} packages`, run: async () => ({ ours: measure(packageNames) }) },
];

function measure(names: readonly string[]): number {
  const start = performance.now();
  const registry = new EvaluationRegistry();
  const pkgs = createPackages(registry);
  const roots = names.map((name) => pkgs[name as "nginx"].drvPath);
  registry.instantiation(roots);
  return performance.now() - start;
}
