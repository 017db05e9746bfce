import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { declarationsEntry, declarationsFolder } from "./declarations-folder.ts";
import { generateDeclarations } from "./generate-declarations.ts";

/** What the declarations were made of: each source's path in the installation, its time of change and its size. */
type Stamp = { readonly sources: readonly (readonly [path: string, time: number, size: number])[] };

/**
 * Writes tsos's declarations anew if one of the sources that they are made of has changed. An installed package has
 * those that it was built with.
 * @returns the sources
 */
export function ensureDeclarations(installation: string): readonly string[] {
  const folder = declarationsFolder(installation);
  const stampFile = join(folder, "stamp.json");
  const before = readStamp(stampFile);
  if (before !== undefined && existsSync(declarationsEntry(installation))) {
    if (installation.includes(`${sep}node_modules${sep}`)) return [];
    if (before.sources.every(([path, time, size]) => isAsBefore(join(installation, path), time, size))) return before.sources.map(([path]) => join(installation, path));
  }
  const began = Date.now();
  const { files, sources } = generateDeclarations({ installation, entry: join(installation, "cli/tsos.d.ts"), outFolder: folder });
  const generator = readdirSync(join(installation, "core/config/declarations")).map((name) => join(installation, "core/config/declarations", name));
  const inputs = [...new Set([...sources, ...generator])].sort();
  const stamp: Stamp = {
    sources: inputs.map((path) => {
      const { mtimeMs, size } = statSync(path);
      // What changed while it was read is read again.
      return [relative(installation, path), mtimeMs >= began ? 0 : mtimeMs, size];
    }),
  };
  writeTree(folder, new Map([...files, [stampFile, JSON.stringify(stamp)]]));
  return inputs;
}

function readStamp(file: string): Stamp | undefined {
  try {
    // Written by this function; another version's is as good as none.
    const stamp = JSON.parse(readFileSync(file, "utf8")) as Partial<Stamp>;
    return Array.isArray(stamp.sources) ? { sources: stamp.sources } : undefined;
  } catch {
    return undefined;
  }
}

function isAsBefore(path: string, time: number, size: number): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.mtimeMs === time && stats.size === size;
}

/** Makes the folder hold just these files, the stamp last; each as a whole, and untouched if it is as it should be. */
export function writeTree(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !files.has(path) && !entry.name.endsWith(".tmp")) rmSync(path, { force: true });
  }
}
