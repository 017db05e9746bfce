import { TsosError, type TsosErrorInit } from "../core/error/tsos-error.ts";

/** A command line that cannot be meant: its exit code is 2. */
export class UsageError extends TsosError {
  constructor(init: TsosErrorInit) {
    super(init);
  }
}
