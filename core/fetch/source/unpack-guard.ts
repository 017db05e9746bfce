import { TsosError } from "../../error/tsos-error.ts";

/** A limit on what an archive may become, against those that are made to fill the disk. */
export type UnpackLimits = { readonly bytes: number; readonly entries: number };

export const defaultUnpackLimits: UnpackLimits = { bytes: 64 * 1024 ** 3, entries: 10_000_000 };

/** Counts what is unpacked. */
export type UnpackGuard = { entry(): void; bytes(count: number): void };

/** A guard that throws TsosError `archive.too-large` beyond `limits`. */
export function createUnpackGuard(limits: UnpackLimits): UnpackGuard {
  let entries = 0;
  let bytes = 0;
  return {
    entry() {
      if (++entries > limits.entries) throw tooLarge(`more than ${limits.entries} entries`);
    },
    bytes(count) {
      bytes += count;
      if (bytes > limits.bytes) throw tooLarge(`more than ${limits.bytes} bytes`);
    },
  };
}

function tooLarge(reason: string): TsosError {
  return new TsosError({ code: "archive.too-large", message: `the archive holds ${reason}` });
}
