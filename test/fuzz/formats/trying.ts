/** What stands before the input in a worker's shared memory: how many inputs were begun, and the length of this one. */
export const TRYING_HEAD = 8;

/** Longer inputs are shown by their beginning. */
export const MAX_TRYING = 1 << 20;
