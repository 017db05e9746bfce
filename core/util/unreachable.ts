/** The end of every switch over a union: the type checker shows that no case is left, and a bug is loud. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** An invariant that no input can break; a failure is a bug in tsos. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
