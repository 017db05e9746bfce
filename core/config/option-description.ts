/**
 * What tools are told of options and packages: plain JSON that leaves the isolate. Types only, shared by the host
 * and `cli/runtime`.
 */
import type { SourcePosition } from "../error/source-position.ts";

/** A module that declares or defines; the host has turned `stack` into `at`. */
export type ModuleDescription = {
  /** Its key, its file, or what it is: `the default`. */
  readonly label: string;
  readonly file?: string | undefined;
  readonly stack?: string | undefined;
  /** Where it is made. */
  readonly at?: SourcePosition | undefined;
};

/** A place in a module: `module` is an index into the answer's `modules`. */
export type SiteDescription = { readonly module: number; readonly path: readonly string[] };

/** A value: `text` where only words tell what it is, such as a computed default. */
export type ValueDescription = { readonly text: string } | { readonly value: unknown };

/** What is declared of one option. */
export type OptionDescription = {
  /** `<name>` stands for any name of an `attrsOf`, `<item>` for any item of a list. */
  readonly path: readonly string[];
  /** As people read it: `16 bit unsigned integer; between 0 and 65535 (both inclusive)`. */
  readonly type: string;
  /** The type in TypeScript. */
  readonly typescript: string;
  readonly description?: string | undefined;
  readonly default?: ValueDescription | undefined;
  readonly example?: ValueDescription | undefined;
  readonly readOnly: boolean;
  readonly internal: boolean;
  readonly relatedPackages: readonly string[];
  readonly declarations: readonly SiteDescription[];
};

export type DefinitionDescription = {
  readonly site: SiteDescription;
  readonly value: unknown;
  /** One line, cut where it is long. */
  readonly preview: string;
  readonly priority: number;
  readonly order: number;
  /** Whether it is among those of the strongest priority. */
  readonly counts: boolean;
};

/** What an option is in one configuration. */
export type OptionState = {
  readonly definitions: readonly DefinitionDescription[];
  /** Absent where reading it fails: then `error` says why. */
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
};

/** An option with its state, a part of an option's value, or a branch of the tree. */
export type OptionReport =
  | { readonly kind: "option"; readonly option: OptionDescription; readonly state?: OptionState | undefined }
  | { readonly kind: "branch"; readonly path: readonly string[]; readonly options: readonly OptionDescription[] };

/** What is to be written for a value that a person typed. */
export type ValueSource =
  | { readonly kind: "json"; readonly value: string | number | boolean | null }
  | { readonly kind: "list"; readonly items: readonly ValueSource[] }
  | { readonly kind: "object"; readonly entries: readonly (readonly [string, ValueSource])[] }
  | { readonly kind: "package"; readonly name: string }
  /** A file of the project: `path("./site")`. */
  | { readonly kind: "path"; readonly path: string };

export type PackageDescription = {
  /** Its name in the set: `pkgs.NAME`. */
  readonly name: string;
  readonly pname: string;
  readonly version: string;
  readonly description?: string | undefined;
  readonly homepage?: string | undefined;
  readonly license?: string | undefined;
  readonly mainProgram?: string | undefined;
  /** Whether an overlay of the configuration adds or changes it. */
  readonly isOverlaid: boolean;
};
