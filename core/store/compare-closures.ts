import type { StorePath } from "../store-path/store-path.ts";
import { compareUtf8 } from "../util/ordering.ts";

/** One path of a closure. */
export type ClosureMember = { readonly path: StorePath; readonly narSize: number };

export type ClosureChange = {
  readonly name: string;
  /** Versions of the paths of that name, by bytes; `""` for one without. Empty for what came. */
  readonly before: readonly string[];
  /** Empty for what went. */
  readonly after: readonly string[];
  /** By how many bytes the archives of that name grew. */
  readonly sizeChange: number;
};

export type ClosureDifference = {
  /** By name. Of the same versions only those that are other paths, so of other size or not. */
  readonly changes: readonly ClosureChange[];
  readonly added: readonly StorePath[];
  readonly removed: readonly StorePath[];
  readonly sizeChange: number;
};

/** @param splitName a path's package name and version */
export function compareClosures(
  before: readonly ClosureMember[],
  after: readonly ClosureMember[],
  splitName: (path: StorePath) => { readonly name: string; readonly version: string },
): ClosureDifference {
  const [had, has] = [new Set(before.map(({ path }) => path)), new Set(after.map(({ path }) => path))];
  const names = new Map<string, { before: Set<string>; after: Set<string>; sizeChange: number; differs: boolean }>();
  const note = (member: ClosureMember, side: "before" | "after", differs: boolean): void => {
    const { name, version } = splitName(member.path);
    const known = names.get(name) ?? { before: new Set(), after: new Set(), sizeChange: 0, differs: false };
    names.set(name, known);
    known[side].add(version);
    known.sizeChange += side === "after" ? member.narSize : -member.narSize;
    known.differs ||= differs;
  };
  for (const member of before) note(member, "before", !has.has(member.path));
  for (const member of after) note(member, "after", !had.has(member.path));
  const changes = [...names]
    .filter(([, { differs }]) => differs)
    .map(([name, change]): ClosureChange => ({ name, before: [...change.before].sort(compareUtf8), after: [...change.after].sort(compareUtf8), sizeChange: change.sizeChange }))
    .sort((a, b) => compareUtf8(a.name, b.name));
  return {
    changes,
    added: [...has].filter((path) => !had.has(path)).sort(compareUtf8),
    removed: [...had].filter((path) => !has.has(path)).sort(compareUtf8),
    sizeChange: sum(after) - sum(before),
  };
}

function sum(members: readonly ClosureMember[]): number {
  return members.reduce((total, { narSize }) => total + narSize, 0);
}
