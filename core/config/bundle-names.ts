import { sep } from "node:path";

/** What a configuration imports. */
export const TSOS = "tsos";
export const TSOS_NAMESPACE = "tsos-api";
/** The file of the bundle that hands the modules of inputs over, before the configuration runs. */
export const INPUT_MODULES = "tsos:inputs";

/** Which package of npm a file belongs to. */
export const PACKAGE = /node_modules\/((?:@[^/]+\/)?[^/]+)/;

export function isInPackage(file: string): boolean {
  return PACKAGE.test(file.split(sep).join("/"));
}

export function packageName(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}
