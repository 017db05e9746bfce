import { join } from "node:path";

/** Where an installation of tsos keeps the declarations that users' programs are checked with. */
export function declarationsFolder(installation: string): string {
  return join(installation, "dist", "types");
}

/** What `import … from "tsos"` means to the type checker. */
export function declarationsEntry(installation: string): string {
  return join(declarationsFolder(installation), "tsos.d.ts");
}
