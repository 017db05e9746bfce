/** The ids that this machine gave out; a name keeps its id for good, so files never change their owner. */
export type IdAllocations = {
  readonly version: 1;
  readonly uids: Readonly<Record<string, number>>;
  readonly gids: Readonly<Record<string, number>>;
  /** The first of a user's 65,536 subordinate ids. */
  readonly subIds: Readonly<Record<string, number>>;
  /** What the last activation declared, so that what is declared no longer can be told from what was made by hand. */
  readonly declaredUsers: readonly string[];
  readonly declaredGroups: readonly string[];
};

export const NO_ALLOCATIONS: IdAllocations = { version: 1, uids: {}, gids: {}, subIds: {}, declaredUsers: [], declaredGroups: [] };

export const SUBORDINATE_IDS = 65_536;
const FIRST_SUBORDINATE_ID = 100_000;

/** The highest free id from 999 down to 400, or for a person the lowest from 1000 up to 29999. */
export function findFreeId(isNormal: boolean, used: ReadonlySet<number>): number | undefined {
  if (isNormal) {
    for (let id = 1000; id <= 29_999; id++) if (!used.has(id)) return id;
  } else {
    for (let id = 999; id >= 400; id--) if (!used.has(id)) return id;
  }
  return undefined;
}

/** The first range of subordinate ids that overlaps none of `used` (their first ids). */
export function findFreeSubordinateRange(used: Iterable<number>): number {
  const firsts = [...used];
  let first = FIRST_SUBORDINATE_ID;
  while (firsts.some((one) => one < first + SUBORDINATE_IDS && first < one + SUBORDINATE_IDS)) first += SUBORDINATE_IDS;
  return first;
}
