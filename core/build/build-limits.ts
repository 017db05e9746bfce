import { TsosError } from "../error/tsos-error.ts";

/** What a builder may take before it is killed; undefined and 0 are no limit. */
export type BuildLimits = {
  /** Seconds in all. Nix: `timeout`. */
  readonly timeout?: number | undefined;
  /** Seconds without a word. Nix: `max-silent-time`. */
  readonly maxSilentTime?: number | undefined;
  /** Bytes of output. Nix: `max-build-log-size`. */
  readonly maxLogSize?: number | undefined;
};

export type LimitWatch = Disposable & {
  /** Aborted with the reason when a limit is reached. */
  readonly signal: AbortSignal;
  /** To be called with each piece of output, before it is kept. */
  onOutput(bytes: number): void;
};

/** Watches a builder from now on. */
export function watchLimits({ timeout = 0, maxSilentTime = 0, maxLogSize = 0 }: BuildLimits): LimitWatch {
  const stop = new AbortController();
  const end = (code: string, message: string, hint: string, limit: number): void => stop.abort(new TsosError({ code, message, hint, data: { limit } }));
  const whole =
    timeout === 0 ? undefined : setTimeout(() => end("build.timed-out", `the builder was killed after "${timeout}" seconds`, 'raise the setting "timeout", or 0 for none', timeout), timeout * 1000);
  const silence =
    maxSilentTime === 0
      ? undefined
      : setTimeout(() => end("build.silent", `the builder was killed after "${maxSilentTime}" seconds of silence`, 'raise the setting "maxSilentTime", or 0 for none', maxSilentTime), maxSilentTime * 1000);
  let written = 0;
  return {
    signal: stop.signal,
    onOutput(bytes) {
      silence?.refresh();
      written += bytes;
      if (maxLogSize !== 0 && written > maxLogSize) end("build.log-too-long", `the builder was killed after writing more than "${maxLogSize}" bytes of log`, 'raise the setting "maxLogSize", or 0 for none', maxLogSize);
    },
    [Symbol.dispose]() {
      clearTimeout(whole);
      clearTimeout(silence);
    },
  };
}
