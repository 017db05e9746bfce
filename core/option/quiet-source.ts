import type { Source, Tracker } from "./consumer.ts";

/** That an evaluation has settled but for those who wait for it: something that is read like an option. */
export class QuietSource implements Source {
  readonly owner: object;
  readonly #tracker: Tracker;
  #isQuiet = false;
  #isAwaited = false;
  changedAt = 0;

  constructor(owner: object, tracker: Tracker) {
    this.owner = owner;
    this.#tracker = tracker;
  }

  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** Who reads it is run again when the evaluation is quiet. */
  note(): void {
    this.#tracker.note(this);
    this.#isAwaited = true;
  }

  /** Begins the quiet, where somebody waits for it and it has not begun. */
  begin(): boolean {
    if (this.#isQuiet || !this.#isAwaited) return false;
    this.#isQuiet = true;
    this.changedAt = this.#tracker.tick();
    return true;
  }

  /** There is nothing more to wait for. */
  end(): void {
    this.#isQuiet = true;
  }

  refresh(): void {
    // It changes by `begin` alone.
  }
}
