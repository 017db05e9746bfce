/** A place in a file that a user wrote. `line` and `column` count from 1, `column` in UTF-16 units. */
export type SourcePosition = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
};

/** `file:line:column`, as editors and terminals make it a link. */
export function formatSourcePosition(position: SourcePosition): string {
  return `${position.file}:${position.line}:${position.column}`;
}
