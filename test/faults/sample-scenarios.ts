import { STORE_SCENARIOS } from "./store-scenarios.ts";

export type SampleOptions = {
  /** Every so many points are tried to begin with. */
  readonly step: number;
  /** Milliseconds that a scenario has on average; where they take longer, those that follow are tried at fewer points. */
  readonly pace: number;
};

/**
 * Tries each scenario at a sample of its points: at fewer on a machine that does other things, so that none is left out
 * and the sample ends. Resolves to how many points were tried.
 */
export async function sampleScenarios({ step, pace }: SampleOptions, tryPoints: (scenario: string, step: number, index: number) => Promise<number>): Promise<number> {
  const start = performance.now();
  let tried = 0;
  let wide = step;
  for (const [index, name] of Object.keys(STORE_SCENARIOS).entries()) {
    tried += await tryPoints(name, wide, index);
    const isBehind = performance.now() - start > pace * (index + 1);
    wide = isBehind ? wide * 2 : Math.max(step, wide / 2);
  }
  return tried;
}
