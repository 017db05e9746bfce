import { isPackage, type Package, type Packages, type ShellConfig } from "../../core/index.ts";
import type { ShellEnvironment } from "../../core/shell/shell-environment.ts";

// Outputs of a package that hold programs, what is built against, and manuals.
const OUTPUTS = ["bin", "out", "dev", "man"];

/** The package whose `environment.json` says what the shell is; it refers to all that the shell has. */
export function createShellEnvironment(config: ShellConfig, pkgs: Packages): Package {
  const inputs = config.inputsFrom.flatMap(({ attributes }) => [attributes.nativeBuildInputs, attributes.buildInputs, attributes.propagatedBuildInputs].flatMap((list) => (list ?? []).filter(isPackage)));
  const paths = [...config.packages, ...inputs].flatMap((value) => [`${value}`, ...OUTPUTS.filter((output) => value.outputs.includes(output)).map((output) => `${value.output(output)}`)]);
  const environment: ShellEnvironment = {
    version: 1,
    name: config.name,
    packages: [...new Set(paths)],
    env: Object.fromEntries(Object.entries(config.env).map(([name, value]) => [name, variable(value)])),
    shellHook: config.shellHook,
  };
  return pkgs.writeTree(`${config.name.replace(/[^A-Za-z0-9+._-]/g, "-").replace(/^\.+/, "")}-environment`, [{ kind: "file", path: "environment.json", contents: `${JSON.stringify(environment, undefined, 2)}\n` }]);
}

function variable(value: string | number | boolean | Package | null): string | null {
  if (value === null) return null;
  return typeof value === "boolean" ? (value ? "1" : "") : `${value}`;
}
