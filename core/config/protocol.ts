/**
 * What goes into the isolate and what comes out: plain JSON, both ways. This file is types only, shared by the
 * host (this folder) and the runtime inside the isolate (`cli/runtime`).
 */
import type { Instantiation } from "../derivation/instantiation.ts";
import type { RelatedPosition } from "../error/tsos-error.ts";
import type { SourcePosition } from "../error/source-position.ts";
import type { DeclaredInput, InputTree } from "../option/declared-input.ts";
import type { SourceCall } from "./source-files.ts";
import type { ModuleDescription, OptionDescription, OptionReport, PackageDescription, ValueSource } from "./option-description.ts";

/** What is asked of a configuration. */
export type EvaluationRequest =
  /** A machine or a home, or with `vm` what `tsos machine` boots of it. With `isTrial` its derivations stay where they are. */
  | { readonly kind: "system"; readonly variant?: "vm"; readonly isTrial?: boolean }
  /** With `packages`, a shell of these and no file. */
  | { readonly kind: "shell"; readonly packages?: readonly string[]; readonly isTrial?: boolean }
  /** A package of the set as the configuration sees it; `name` may be dotted. */
  | { readonly kind: "package"; readonly name: string }
  /** One option of a system, or a whole branch; without a path the tree. */
  | { readonly kind: "option"; readonly path: string }
  /** Every option of the tree with type, default, description and declaration; not their values. */
  | { readonly kind: "option-docs" }
  /** One option (or what is inside one's value, or a branch) with its definitions and its value. */
  | { readonly kind: "option-report"; readonly path: string }
  /** What to write into a file for a value of an option that a person typed. */
  | { readonly kind: "option-value"; readonly path: string; readonly text: string }
  /** All packages of the set, without their derivations. */
  | { readonly kind: "package-list" }
  /** The inputs that are declared; what they hold is not looked at. */
  | { readonly kind: "inputs" };

export type DerivationResult = {
  readonly drvPath: string;
  readonly name: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** The output that the value stood for, and its path. */
  readonly outputName: string;
  readonly outPath: string;
};

/** What a shell is, beside the packages that must be there. */
export type ShellResult = {
  readonly name: string;
  /** The derivation whose output holds `environment.json` and refers to all of the shell's packages. */
  readonly environment: DerivationResult;
};

export type OptionResult = {
  readonly path: string;
  /** JSON; a package is its store path. */
  readonly value: unknown;
  /** What the value is as a derivation, where it is one. */
  readonly derivation?: DerivationResult | undefined;
};

export type EvaluationResult =
  /** Of a home `user` is whose it is. */
  | { readonly kind: "system"; readonly toplevel: DerivationResult; readonly hostName: string; readonly isNixos?: boolean; readonly home?: { readonly user: string; readonly directory: string } }
  | { readonly kind: "shell"; readonly shell: ShellResult }
  | { readonly kind: "package"; readonly package: DerivationResult & { readonly mainProgram?: string | undefined } }
  | { readonly kind: "option"; readonly option: OptionResult }
  /** `pinned`: the input whose modules declare the options, of which the host has data. */
  | { readonly kind: "option-docs"; readonly modules: readonly ModuleDescription[]; readonly options: readonly OptionDescription[]; readonly pinned?: string | undefined }
  | { readonly kind: "option-report"; readonly modules: readonly ModuleDescription[]; readonly report: OptionReport; /** Whether the configuration has no errors. */ readonly isSound: boolean }
  | { readonly kind: "option-value"; readonly path: readonly string[]; readonly source: ValueSource }
  | { readonly kind: "package-list"; readonly packages: readonly PackageDescription[] }
  /** Where each is declared is added when the result has left the isolate. */
  | { readonly kind: "inputs"; readonly places: Readonly<Record<string, SourcePosition | undefined>> };

/** The result of one kind of request. */
export type ResultOf<K extends EvaluationRequest["kind"]> = Extract<EvaluationResult, { readonly kind: K }>;

/** An error as it leaves the isolate. */
export type ErrorData = {
  /** `tsos`: a `TsosError`; `thrown`: what the user's code threw; `bug`: what tsos's own code threw. */
  readonly kind: "tsos" | "thrown" | "bug";
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at?: SourcePosition | undefined;
  readonly related?: readonly RelatedPosition[] | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Frames as `file:line:column`, innermost first; `tsos:config` is the user's bundle. */
  readonly frames: readonly string[];
  readonly stack: string;
  readonly cause?: ErrorData | undefined;
};

export type IsolateReply =
  | {
      readonly ok: true;
      readonly result: EvaluationResult;
      readonly instantiation: Instantiation;
      readonly warnings: readonly string[];
      readonly printed: readonly string[];
      readonly inputs: readonly DeclaredInput[];
    }
  | { readonly ok: false; readonly errors: readonly ErrorData[]; readonly printed: readonly string[] };

/** What the isolate may ask of the host; each is recorded, so that a cached evaluation knows what it stands on. */
export type HostCall =
  | { readonly op: "read-file"; readonly folder: string; readonly path: string; readonly input?: string | undefined }
  | { readonly op: "read-folder"; readonly folder: string; readonly path: string; readonly input?: string | undefined }
  /** The NAR hash of a file or folder of the project, or of an input. */
  | { readonly op: "hash-path"; readonly folder: string; readonly path: string; readonly input?: string | undefined }
  /** Fetches an input, if it is not here. */
  | { readonly op: "fetch-input"; readonly declared: DeclaredInput }
  /** A module of an input that the bundle must hold. */
  | { readonly op: "demand-module"; readonly input: string; readonly path: string }
  /** About an input it is answered in the isolate's own thread; as a text of its own form. */
  | SourceCall
  /** The activator's program text: part of tsos itself, so the runtime's hash stands for it. */
  | { readonly op: "activator" };

export type HostReply =
  | { readonly op: "read-file"; readonly text: string }
  | { readonly op: "read-folder"; readonly entries: readonly { readonly name: string; readonly kind: "file" | "folder" | "symlink" }[] }
  /** `file` is relative to the project; `narHash` is `sha256:` and base-16. */
  | { readonly op: "hash-path"; readonly file: string; readonly name: string; readonly narHash: string }
  | { readonly op: "activator"; readonly text: string }
  /** `root` is for the isolate's thread; the configuration does not see it. */
  | { readonly op: "fetch-input"; readonly tree: InputTree; readonly root?: string | undefined }
  | { readonly op: "demand-module" }
  | { readonly op: "source"; readonly answer: string }
  | {
      readonly op: "error";
      readonly code: string;
      readonly message: string;
      readonly hint?: string | undefined;
      readonly at?: SourcePosition | undefined;
      readonly data?: Readonly<Record<string, unknown>> | undefined;
    };

/** Where Nix expressions see the project: a path that is the same on every machine. */
export const NIX_PROJECT = "/project";
/** File names that stacks inside the isolate know. */
export const CONFIG_SCRIPT = "tsos:config";
export const RUNTIME_SCRIPT = "tsos:runtime";
