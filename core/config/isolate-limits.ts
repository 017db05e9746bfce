/** How much one evaluation may take. */
export type IsolateLimits = {
  /** Of the evaluation's heap. */
  readonly heapMegabytes: number;
  readonly stackMegabytes: number;
  /** Of processor time, which a loaded machine does not shorten. */
  readonly cpuSeconds: number;
};

/** What an evaluation may take that can use Nix expressions: a system of NixOS takes 2 GB, and its calls nest deeply. */
const nixLimits: IsolateLimits = { heapMegabytes: 4096, stackMegabytes: 256, cpuSeconds: 300 };

/** The limits of a configuration that has inputs: what nobody set is as Nix expressions need it. */
export function limitsWithInputs(limits: IsolateLimits = defaultLimits): IsolateLimits {
  const choose = (name: keyof IsolateLimits): number => (limits[name] === defaultLimits[name] ? nixLimits[name] : limits[name]);
  return { heapMegabytes: choose("heapMegabytes"), stackMegabytes: choose("stackMegabytes"), cpuSeconds: choose("cpuSeconds") };
}

export const defaultLimits: IsolateLimits = { heapMegabytes: 1024, stackMegabytes: 64, cpuSeconds: 60 };
