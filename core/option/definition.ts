/** Where a definition stands: enough for `core/config` to find file, line and column when an error asks. */
export type DefinitionSite = {
  readonly module: DefiningModule;
  /** The property's path in what the module returned; a list's elements are numbers in brackets, `[0]`. */
  readonly path: readonly string[];
};

/** What an error may want of the module that defines or declares something. */
export type DefiningModule = {
  /** Its `key`, its file, or what it is: `the default`. */
  readonly label: string;
  /** Explicit, or undefined: then the stack tells. */
  readonly file: string | undefined;
  /** The stack at which the module was made, innermost frame first, unparsed. */
  readonly stack: string | undefined;
};

/** One definition as its module wrote it: `value` may be modified. */
export type RawDefinition = {
  readonly site: DefinitionSite;
  readonly value: unknown;
  readonly priority: number;
  readonly order: number;
};

/** A definition that counts: conditions held and no other has a stronger priority. */
export type PlacedDefinition = RawDefinition;
