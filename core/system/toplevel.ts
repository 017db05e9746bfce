import { type SystemManifest } from "./manifest.ts";

/** One entry of the built-in builder `builtin:write-tree`. */
export type TreeEntry =
  | { readonly path: string; readonly kind: "file"; readonly contents: string; readonly executable?: boolean }
  | { readonly path: string; readonly kind: "symlink"; readonly target: string };

export type ToplevelParts = {
  readonly manifest: SystemManifest;
  /** The activator's bundle (store path of a file). */
  readonly activator: string;
  /** The program `node` of the store, with which the activator runs. */
  readonly node: string;
  /** A POSIX shell of the store; it only finds the toplevel's own path and hands over to `node`. */
  readonly shell: string;
  readonly tsosVersion: string;
  /** Toplevels of variants of the machine, by name. */
  readonly specialisations?: Readonly<Record<string, string>>;
};

/**
 * Everything that a toplevel holds, for `builtin:write-tree`. Pure; `manifest.ts` lists the files.
 *
 * @example
 * toplevelEntries(parts).map((entry) => entry.path)
 * // ["activate.mjs", "bin/switch-to-configuration", "etc/hosts", …, "init", "manifest.json", "os-root", …]
 */
export function toplevelEntries(parts: ToplevelParts): readonly TreeEntry[] {
  const { manifest } = parts;
  const entries: TreeEntry[] = [
    { path: "manifest.json", kind: "file", contents: `${JSON.stringify(manifest, undefined, 2)}\n` },
    { path: "sw", kind: "symlink", target: manifest.systemPath },
    { path: "os-root", kind: "symlink", target: manifest.osRoot },
    { path: "activate.mjs", kind: "symlink", target: parts.activator },
    { path: "init", kind: "file", contents: initScript(parts), executable: true },
    { path: "bin/switch-to-configuration", kind: "file", contents: switchScript(parts), executable: true },
    { path: "tsos-version", kind: "file", contents: `${parts.tsosVersion}\n` },
    { path: "system", kind: "file", contents: manifest.system },
  ];
  for (const entry of manifest.etc) {
    if (entry.kind === "link") entries.push({ path: `etc/${entry.target}`, kind: "symlink", target: entry.source });
  }
  for (const [name, toplevel] of Object.entries(parts.specialisations ?? {})) entries.push({ path: `specialisation/${name}`, kind: "symlink", target: toplevel });
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

// A path of its own is not known to the tree that is hashed, so both scripts take it from their own name.
function switchScript({ shell, node }: ToplevelParts): string {
  return `#!${shell}
toplevel=\${0%/bin/switch-to-configuration}
exec ${node} "$toplevel/activate.mjs" --toplevel "$toplevel" "$@"
`;
}

function initScript({ shell, node }: ToplevelParts): string {
  // A machine whose activation fails still comes up, so that it can be looked at and rolled back.
  return `#!${shell}
toplevel=\${0%/init}
${node} "$toplevel/activate.mjs" --toplevel "$toplevel" init || echo "tsos: activation failed, starting anyway"
unset TSOS_ACTION
exec /usr/lib/systemd/systemd "$@"
`;
}
