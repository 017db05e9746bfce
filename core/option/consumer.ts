import type { DeclaredOption } from "./merge-place.ts";

/**
 * What computes something of what it reads. Consumers nest: while an option's value is merged, modules of a
 * submodule inside it run. A read belongs to the innermost consumer of the evaluation that owns what is read,
 * since to an inner evaluation everything outside of it stands still.
 */
export interface Consumer {
  /** The evaluation whose sources it notes. */
  readonly owner: object;
  /** Made with the first read: most options' values read nothing. */
  sources: Set<Source> | undefined;
  outer: Consumer | undefined;
}

/** What can be read: it says when it last became something else. */
export interface Source {
  readonly owner: object;
  /** Brings `changedAt` up to date. */
  refresh(): void;
  readonly changedAt: number;
}

/** What is read in place of what is not there yet. */
export interface Guesses {
  option(option: DeclaredOption): unknown;
  view(value: unknown): unknown;
}

/** The state that all evaluations of one configuration share: who is reading, and a clock. */
export class Tracker {
  #current: Consumer | undefined;
  #clock = 0;
  #guessing: { readonly consumer: Consumer; readonly guesses: Guesses } | undefined;

  /** A number greater than all before. */
  tick(): number {
    return ++this.#clock;
  }

  note(source: Source): void {
    for (let consumer = this.#current; consumer !== undefined; consumer = consumer.outer) {
      if (consumer.owner === source.owner) {
        (consumer.sources ??= new Set()).add(source);
        return;
      }
    }
  }

  /** What whoever reads now reads in place of what is not there; undefined for all but a module that is run so. */
  get guesses(): Guesses | undefined {
    return this.#guessing !== undefined && this.#guessing.consumer === this.#current ? this.#guessing.guesses : undefined;
  }

  /** As `run`, with guesses for `consumer`; what is computed meanwhile for the values that it reads sees none. */
  runGuessing<T>(consumer: Consumer, guesses: Guesses, compute: () => T): T {
    const outer = this.#guessing;
    this.#guessing = { consumer, guesses };
    try {
      return this.run(consumer, compute);
    } finally {
      this.#guessing = outer;
    }
  }

  /** Runs `compute`, its reads noted by `consumer`. */
  run<T>(consumer: Consumer, compute: () => T): T {
    const outer = this.#current;
    consumer.outer = outer;
    this.#current = consumer;
    try {
      return compute();
    } finally {
      this.#current = outer;
      consumer.outer = undefined;
    }
  }
}
