/** How much one evaluation may take. */
export type IsolateLimits = {
  /** Of the evaluation's heap. */
  readonly heapMegabytes: number;
  readonly stackMegabytes: number;
  /** Of processor time, which a loaded machine does not shorten. */
  readonly cpuSeconds: number;
};

// A list that grows beyond 2^27 elements ends the whole process; below 1.1 GB the heap is mostly full before that.
export const defaultLimits: IsolateLimits = { heapMegabytes: 1024, stackMegabytes: 64, cpuSeconds: 60 };
