import type { ByteString } from "../util/bytes.ts";
import type { CommentTable } from "./comments.ts";
import type { ConcreteExpression, ConcreteFile, ConcreteLambda } from "./concrete-syntax.ts";
import type { Layout } from "./layout.ts";
import type { Printed } from "./printed.ts";
import type { Scope, Variable } from "./scope.ts";

/** What stands outside of the file. */
export type FileContext = {
  /** Modules of a home: its files are named by the paths that they come from. */
  readonly isHome: boolean;
  /** The variable that an imported file is bound to, or undefined where it stays Nix. Relative to the file. */
  importOf(path: string, how: "module" | "value"): string | undefined;
  /** A file or folder that is named and stays as it is. */
  keep(path: string): "nix" | "other";
  /** The variable and the name of an input that a search path or channel means. */
  input(name: string): string | undefined;
};

/** A place that stays Nix. */
export type Mark = { readonly start: number; readonly end: number; readonly reason: string };

/** What the file needs at its top. */
export type Needs = {
  readonly imports: Set<string>;
  /** nixpkgs' own library is used for more than what ours has. */
  nixpkgsLib: boolean;
  ourLib: boolean;
  readonly marks: Mark[];
  /** Names that are believed to be of the innermost `with`. */
  readonly assumed: Set<string>;
};

/** How the place is evaluated. */
export type Place = {
  readonly scope: Scope | undefined;
  /** Inside a function that is called when the configuration is known: what depends on it must be asked late. */
  readonly isDeferred: boolean;
  /** Inside of a getter, which runs when all is known. */
  readonly isLazy?: boolean;
  /** Directly in what modules are imported by. */
  readonly inImports?: boolean;
};

/** The conversion of one file: what all kinds of expressions share, and how each has those inside of it converted. */
export type Converter = {
  readonly file: ConcreteFile;
  readonly comments: CommentTable;
  readonly context: FileContext;
  readonly needs: Needs;
  /** Whether functions of modules take nixpkgs' library. */
  readonly takesLib: boolean;
  /** Names whose values are looked into by names that the type checker cannot know. */
  readonly loose: ReadonlySet<ByteString>;
  /** Variables that the text names. */
  readonly reads: Set<Variable>;

  source(e: { readonly start: number; readonly end: number }): string;
  /** A name that no import has. */
  name(name: ByteString): string;
  /** The text of a variable that is used. */
  read(variable: Variable): string;
  /** Adds comments before the item that is being printed. */
  note(...notes: readonly Layout[]): void;
  /** With the notes that arise inside, which go before it. */
  noting<T>(body: () => T): { readonly result: T; readonly notes: Layout[] };

  convert(e: ConcreteExpression, place: Place): Printed;
  /** @param type the annotation of a parameter that is taken apart, where the place gives it none */
  lambda(e: ConcreteLambda, place: Place, type?: string): Printed;
  /** `{ const …; return …; }` */
  block(e: ConcreteExpression, place: Place): { readonly layout: Layout; readonly statements: readonly Layout[] };
};
