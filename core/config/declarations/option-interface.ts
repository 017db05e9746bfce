/** Where a name is written in a module's source. Counted from 0, as the compiler counts. */
export type SourcePlace = { readonly file: string; readonly line: number; readonly column: number };

/** Something that a declaration names and another file exports. */
export type ImportedName = {
  /** The source that exports it. */
  readonly file: string;
  readonly name: string;
  /** The name that it has here: of two with the same name one has another. */
  readonly local: string;
};

/** A set of options as it is declared: an interface of its own, whose members are looked at when they are used. */
export type OptionInterface = {
  /** A name that no other has. */
  readonly name: string;
  readonly path: readonly string[];
  readonly members: readonly OptionMember[];
};

export type OptionMember = {
  readonly name: string;
  /** Lines of the comment, without its marks. */
  readonly documentation: readonly string[];
  readonly place: SourcePlace | undefined;
  readonly imports: ReadonlySet<ImportedName>;
} & (
  | { readonly kind: "branch"; readonly inner: OptionInterface }
  /** `type` is TypeScript; `inner` are the sets of options that it names: those of its submodules. */
  | { readonly kind: "option"; readonly type: string; readonly inner: readonly OptionInterface[] }
);

