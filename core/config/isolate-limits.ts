/** How much one evaluation may take. */
export type IsolateLimits = {
  /** Of the evaluation's heap. */
  readonly heapMegabytes: number;
  /** Of what is new in it: the less often that is collected, the less of it is copied that soon is garbage. */
  readonly youngMegabytes: number;
  readonly stackMegabytes: number;
  /** Of processor time, which a loaded machine does not shorten. */
  readonly cpuSeconds: number;
};

export const defaultLimits: IsolateLimits = { heapMegabytes: 1024, youngMegabytes: 48, stackMegabytes: 64, cpuSeconds: 60 };

/** For an evaluation that can use Nix expressions: a system of NixOS takes 2 GB, and its calls nest deeply. */
export const limitsWithInputs: IsolateLimits = { heapMegabytes: 4096, youngMegabytes: 128, stackMegabytes: 256, cpuSeconds: 300 };
