import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Metafile } from "esbuild";
import { TsosError } from "../error/tsos-error.ts";
import { isInPackage } from "./bundle-names.ts";

/**
 * Files of one's own that import one another in a circle: which of them runs first, and so sees nothing of the
 * other, would depend on who imports them. Types are no imports.
 */
export function refuseCircles(metafile: Metafile, project: string): void {
  const own = new Map(Object.entries(metafile.inputs).filter(([file]) => !file.includes(":") && !isInPackage(file)));
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start !== -1) throw circle([...way.slice(start), file], project);
    if (done.has(file)) return;
    for (const { path, kind } of own.get(file)?.imports ?? []) if (kind === "import-statement" && own.has(path)) visit(path, [...way, file]);
    done.add(file);
  };
  for (const file of own.keys()) visit(file, []);
}

function circle(way: readonly string[], project: string): TsosError {
  const [at, ...related] = way.slice(1).map((file, i) => ({ ...findImport(resolve(project, way[i]!), resolve(project, file)), note: "and imported here" }));
  return new TsosError({
    code: "config.import-circle",
    message: `files import one another in a circle: ${way.map((file) => `"${file}"`).join(" imports ")}`,
    hint: "move what both need into a third file; what is needed as a type only, import with import type",
    at: at === undefined ? undefined : { file: at.file, line: at.line, column: at.column },
    related,
  });
}

/** Where `file` imports `other`: the line whose text names it. */
function findImport(file: string, other: string): { readonly file: string; readonly line: number; readonly column: number } {
  const name = basename(other).replace(/\.[^.]+$/, "");
  const lines = readFileSync(file, "utf8").split("\n");
  const line = lines.findIndex((text) => /\b(from|import)\b/.test(text) && new RegExp(`["'][^"']*${name.replace(/[^\w]/g, "\\$&")}(\\.\\w+)?["']`).test(text));
  return { file, line: Math.max(0, line) + 1, column: 1 };
}
