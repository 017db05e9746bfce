import type { PackageFacts } from "./package-facts.ts";

/** So many names stand in one file. */
const CHUNK = 2000;

/** Declarations of all names of a set of packages: file name → text. `Packages` of `packages.d.ts` is the whole. */
export function formatPackageTypes(names: readonly string[], facts: ReadonlyMap<string, PackageFacts>): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const known = names.filter((name) => facts.get(name)?.kind !== "broken");
  const parts: string[] = [];
  for (let at = 0; at < known.length; at += CHUNK) {
    const part = `Packages${parts.length}`;
    parts.push(part);
    const lines = known.slice(at, at + CHUNK).map((name) => formatName(name, facts.get(name)));
    files.set(`${part.toLowerCase()}.d.ts`, `import type { NixPackage, NixValue } from "tsos";\n\nexport interface ${part} {\n${lines.join("")}}\n`);
  }
  const imports = parts.map((part) => `import type { ${part} } from "./${part.toLowerCase()}.d.ts";\n`).join("");
  files.set("packages.d.ts", `${imports}\n/** What the pinned tree has, by its names. */\nexport interface Packages extends ${parts.join(", ") || "Readonly<Record<never, never>>"} {}\n`);
  return files;
}

function formatName(name: string, facts: PackageFacts | undefined): string {
  const lines = [facts?.description, [facts?.version, facts?.file].filter((part) => part !== undefined && part !== "").join(" · "), facts?.kind === "alias" && facts.of !== undefined ? `Another name of \`${facts.of}\`.` : undefined].filter((line) => line !== undefined && line !== "");
  const comment = lines.length === 0 ? "" : `  /** ${lines.map((line) => comments(line!)).join(" — ")} */\n`;
  return `${comment}  readonly ${propertyName(name)}: ${facts?.kind === "package" ? "NixPackage" : "NixValue"};\n`;
}

export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** Text that ends no comment. */
export function comments(text: string): string {
  return text.replaceAll("*/", "*\\/").trim();
}
