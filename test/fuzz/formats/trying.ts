/** What stands before the input in a worker's shared memory: how many inputs were begun, the length of this one, and whether to stop after it. */
export const TRYING_HEAD = 12;

/** Longer inputs are shown by their beginning. */
export const MAX_TRYING = 1 << 20;
