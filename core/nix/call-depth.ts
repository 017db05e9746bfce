import type { NixSettings } from "./nix-settings.ts";
import { SetMaking } from "./set-making.ts";
import { Attrs, CALL, Closure, DONE, MAPPED, NO_POSITION, Thunk, type DelayedCall, type Mapping, type Slot, type Value } from "./value.ts";

/** How deep an evaluation is, which the reference bounds: calls, and all that recurses like a call. */
export class CallDepth extends SetMaking {
  readonly settings: NixSettings;
  protected readonly maxCallDepth: number;
  protected depth = 0;

  constructor(settings: NixSettings) {
    super();
    this.settings = settings;
    this.maxCallDepth = settings.maxCallDepth ?? 10_000;
  }

  /** @throws NixError where a value is deeper than calls may be. */
  checkDepth(depth: number, slot: Slot): void {
    if (depth > this.maxCallDepth) throw this.error("eval", "stack overflow; max-call-depth exceeded", this.ownPlace(slot));
  }

  /** Runs what may recurse without a call: as deep as calls may go, and no deeper. */
  nested<T>(pos: number, run: () => T): T {
    this.deeper(pos);
    try {
      return run();
    } finally {
      this.depth--;
    }
  }

  protected deeper(pos: number): void {
    if (this.depth > this.maxCallDepth) throw this.error("eval", "stack overflow; max-call-depth exceeded", pos);
    this.depth++;
  }

  /** The place that a value itself knows: that of its function or of the set as it was written. */
  ownPlace(slot: Slot): number {
    if (slot instanceof Thunk && slot.code === CALL) return this.ownPlace((slot.x as DelayedCall)[0]);
    if (slot instanceof Thunk && slot.code === MAPPED) return this.ownPlace((slot.x as Mapping).fn);
    const value = slot instanceof Thunk ? (slot.code === DONE ? (slot.x as Value) : undefined) : slot;
    if (value instanceof Closure) return value.code + 1;
    return value instanceof Attrs && typeof value.places === "number" && value.places >= 0 ? value.places + 1 : NO_POSITION;
  }
}
