import type { SeedLock } from "../../../pkgs/seeds/seed-lock.ts";

/** JSON with sorted sections and one package a line. */
export function formatSeedLock(lock: SeedLock): string {
  const section = (entries: Readonly<Record<string, unknown>>): string => {
    const lines = Object.keys(entries).sort().map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(entries[name])}`);
    return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n  }`;
  };
  return `{
  "suite": ${JSON.stringify(lock.suite)},
  "architecture": ${JSON.stringify(lock.architecture)},
  "debian": ${section(lock.debian)},
  "npm": ${section(lock.npm)},
  "sources": ${section(lock.sources)}
}
`;
}
