import { formatStorePath, parseStorePath, type StorePath } from "../../store-path/store-path.ts";
import { protocolError } from "./wire-reader.ts";

/** What is to be had: a path as it is, or outputs (all where none are named) of a derivation. */
export type DerivedPath =
  | { readonly kind: "opaque"; readonly path: StorePath }
  | { readonly kind: "built"; readonly drvPath: StorePath; readonly outputs?: readonly string[] | undefined };

/** `…-x.drv!out,dev`, `…-x.drv!*`, or a path. Nix: libstore/derived-path.cc, the legacy form. */
export function parseDerivedPath(text: string, storeDir: string): DerivedPath {
  const mark = text.lastIndexOf("!");
  if (mark < 0) return { kind: "opaque", path: parseStorePath(text, storeDir) };
  const names = text.slice(mark + 1);
  const drvPath = parseStorePath(text.slice(0, mark), storeDir);
  if (names === "*") return { kind: "built", drvPath };
  const outputs = names.split(",");
  if (outputs.includes("")) throw protocolError(`"${text}" names an output without a name`);
  return { kind: "built", drvPath, outputs };
}

export function formatDerivedPath(derived: DerivedPath, storeDir: string): string {
  if (derived.kind === "opaque") return formatStorePath(derived.path, storeDir);
  return `${formatStorePath(derived.drvPath, storeDir)}!${derived.outputs === undefined ? "*" : derived.outputs.join(",")}`;
}
