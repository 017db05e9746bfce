import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { MANIFEST_VERSION, type SystemManifest } from "../manifest.ts";

/** @throws TsosError `manifest.unreadable`, `manifest.version`, `manifest.invalid` */
export function readManifest(toplevel: string): SystemManifest {
  const file = join(toplevel, "manifest.json");
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new TsosError({
      code: "manifest.unreadable",
      message: `"${toplevel}" is not a toplevel: its manifest.json cannot be read`,
      hint: "a toplevel is what `tsos build` gives",
      cause,
    });
  }
  return parseManifest(value, file);
}

/** Checks what a wrong value of would lead outside /etc or past the plan; the rest was typed where it was made. */
export function parseManifest(value: unknown, file: string): SystemManifest {
  const manifest = value as SystemManifest;
  if (typeof value !== "object" || value === null || manifest.version !== MANIFEST_VERSION) {
    throw new TsosError({
      code: "manifest.version",
      message: `"${file}" has the version "${String((value as { version?: unknown } | null)?.version)}", and this activator knows ${MANIFEST_VERSION}`,
    });
  }
  const invalid = (what: string): never => {
    throw new TsosError({ code: "manifest.invalid", message: `"${file}" is wrong: ${what}` });
  };
  const seen = new Set<string>();
  for (const entry of manifest.etc) {
    const parts = entry.target.split("/");
    if (parts.some((part) => part === "" || part === "." || part === "..")) invalid(`"${entry.target}" is not a name below /etc`);
    if (parts[0] === "static") invalid(`"${entry.target}" is below /etc/static, which is the activator's own`);
    if (seen.has(entry.target)) invalid(`"${entry.target}" stands twice in etc`);
    seen.add(entry.target);
  }
  for (const target of seen) {
    for (let slash = target.lastIndexOf("/"); slash > 0; slash = target.lastIndexOf("/", slash - 1)) {
      const parent = target.slice(0, slash);
      if (seen.has(parent)) invalid(`"${target}" is below "${parent}", which is an entry itself`);
    }
  }
  for (const path of [manifest.osRoot, manifest.systemPath]) {
    if (!path.startsWith("/")) invalid(`"${path}" is not a full path`);
  }
  return manifest;
}
