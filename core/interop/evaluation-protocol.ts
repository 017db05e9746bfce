import type { Observation } from "./evaluation-world.ts";
import type { ClosureRequest } from "./fetch-closure.ts";
import type { SourceAttributes } from "../fetch/source/attributes.ts";
import type { RegistryFiles } from "../fetch/source/registry.ts";
import type { NixSettings } from "../nix/nix-settings.ts";
import type { ContentAddressMethod } from "../store-path/content-address.ts";
import type { ByteString } from "../util/bytes.ts";
import type { FlakeReport } from "./flake-report.ts";
import type { FlakeFlags, FlakePurpose } from "./flake-flags.ts";

/** All that an evaluation is told of the world around it. Plain data: it is sent to the thread that evaluates. */
export type EvaluationSettings = {
  readonly storeDir: ByteString;
  /** Where the store's files really are; `storeDir` unless the store has a root of its own. */
  readonly realStoreDir: ByteString;
  /** Nothing is written to the store: paths are only computed. */
  readonly readOnly: boolean;
  /** What relative paths of the command line and of texts that are no files are relative to. */
  readonly folder: ByteString;
  readonly home: ByteString | undefined;
  readonly currentSystem: ByteString;
  /** Seconds since 1970. */
  readonly currentTime: number;
  readonly environment: Readonly<Record<string, ByteString>>;
  readonly searchPath: readonly { readonly prefix: ByteString; readonly path: ByteString }[];
  /** Where evaluations keep what later ones need not do again; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
  /** Where names of flakes are looked up; undefined: nowhere. */
  readonly registries?: RegistryFiles | undefined;
  /** What the command line says before them: `--override-flake`, pairs of references, and `--inputs-from`. */
  readonly registryOverrides?: { readonly pairs: readonly (readonly [from: ByteString, to: ByteString])[]; readonly inputsFrom: readonly ByteString[] } | undefined;
  readonly pure: boolean;
  readonly restricted: boolean;
  /** What a restricted evaluation may fetch: URIs, and beginnings of them. */
  readonly allowedUris?: readonly string[] | undefined;
  readonly allowImportFromDerivation: boolean;
  readonly traceImportFromDerivation: boolean;
  readonly language: NixSettings;
  readonly experimentalFeatures: readonly string[];
  readonly showTrace: boolean;
  /** Messages are for a terminal that shows colours. */
  readonly colours?: boolean | undefined;
  /** What is said is written as records of JSON. */
  readonly logsJson?: boolean | undefined;
};

/** What functions are called with where the command line asks for their result. */
export type AutoArgument = { readonly name: ByteString } & ({ readonly kind: "expression" | "string"; readonly text: ByteString });

export type EvaluationSource =
  | { readonly kind: "file"; readonly path: ByteString; readonly shell?: boolean }
  /** Its attribute is the one that stands after `#`, whatever others are asked for. */
  | { readonly kind: "flake"; readonly ref: ByteString; readonly attribute: ByteString; readonly writeLock: boolean; /** Which outputs are looked at first; default: packages. */ readonly purpose?: FlakePurpose; readonly flags?: FlakeFlags }
  | { readonly kind: "text"; readonly text: ByteString; readonly label: "string" | "stdin"; readonly folder?: ByteString };

export type ValueFormat =
  /** `full`: as `nix eval` prints, all of it evaluated. */
  | { readonly kind: "plain" | "json" | "raw" | "full"; readonly strict: boolean; /** What it is for, in traces. */ readonly purpose?: ByteString; /** JSON over several lines. */ readonly pretty?: boolean }
  | { readonly kind: "xml"; readonly strict: boolean; readonly locations: boolean };

export type EvaluationJob =
  | { readonly kind: "find-files"; readonly names: readonly ByteString[] }
  | { readonly kind: "parse"; readonly sources: readonly EvaluationSource[] }
  /** The URL and the rest of what `nix-prefetch-url -A` reads of a source. */
  | ({ readonly kind: "source" } & Selection)
  | ({ readonly kind: "values"; readonly apply?: ByteString | undefined; readonly format: ValueFormat } & Selection)
  /** The program of an app or a package. */
  | ({ readonly kind: "program" } & Selection)
  /** Evaluates all outputs of a flake; what there is, and what is wrong. */
  | { readonly kind: "check-flake"; readonly ref: ByteString; readonly writeLock: boolean; readonly flags?: FlakeFlags; /** What is for other systems is evaluated too. */ readonly allSystems?: boolean }
  /** `shell`: where exactly one derivation is found (or `known` beside those found), this one as well, if it is there. */
  | ({ readonly kind: "derivations"; readonly shell?: { readonly expression: ByteString; readonly known: number } | "of-flake"; /** Tell what was read. */ readonly wantsReads?: boolean; /** As `nix build` does: for each selection `*`, names with commas, or nothing for those to be installed. */ readonly outputs?: readonly (ByteString | undefined)[] } & Selection);

export type Selection = {
  readonly sources: readonly EvaluationSource[];
  readonly attributePaths: readonly ByteString[];
  readonly autoArguments: readonly AutoArgument[];
  /** Functions that ask whether they are for a shell are told so. */
  readonly inNixShell?: boolean;
};

/** A derivation that an evaluation found, and the output that was meant. */
export type FoundDerivation = { readonly drvPath: ByteString; readonly outputName: ByteString; /** The one that the job's `shell` names. */ readonly isShell?: boolean; /** Of a job with `outputs`. */ readonly installable?: FoundInstallable | undefined };

/** Which of the job's selections was meant, in order, and what of the derivation: names, or `*`; none: `drvPath` is a path to have as it is. */
export type FoundInstallable = { readonly index: number; readonly outputs: readonly ByteString[] };

/** What an evaluation's end depends on, beside its job and settings. */
export type EvaluationReads = {
  readonly observations: readonly Observation[];
  /** False where something was asked that cannot be asked again. */
  readonly isRepeatable: boolean;
  readonly calls: readonly StoreCall[];
};

/** What is run: a file of an output, with what has to be built before. */
export type FoundProgram = { readonly program: ByteString; readonly needs: readonly FoundDerivation[]; readonly sources: readonly ByteString[] };

export type FoundSource = { readonly url: ByteString; readonly hashMode: ByteString | undefined; readonly name: ByteString | undefined };

/** What an evaluation puts into the store. The thread has computed the path; whoever writes it checks that. */
export type StoreObject =
  | { readonly kind: "text"; readonly path: string; readonly name: string; readonly contents: ByteString; readonly references: readonly string[] }
  | { readonly kind: "path"; readonly path: string; readonly name: string; readonly file: ByteString; readonly method: ContentAddressMethod; readonly references: readonly string[]; readonly excluded: readonly ByteString[] | undefined };

/** What the thread waits for. Paths are base names of the store. */
export type StoreCall =
  /** `hold`: and they stay valid as long as this process lives. */
  | { readonly op: "valid" | "hold"; readonly paths: readonly string[] }
  /** Makes outputs valid. */
  | { readonly op: "build"; readonly targets: readonly { readonly drvPath: string; readonly output: string }[] }
  | { readonly op: "closure" | "references"; readonly path: string }
  /** Into the store. */
  | { readonly op: "fetch-source"; readonly source: SourceAttributes; readonly isFinal: boolean }
  | { readonly op: "fetch-file"; readonly url: string; readonly name: string }
  | { readonly op: "fetch-closure"; readonly request: ClosureRequest };

export type StoreReply =
  | { readonly op: "valid" | "hold"; readonly valid: readonly string[] }
  /** In the order of the targets. */
  | { readonly op: "build"; readonly outputs: readonly string[] }
  | { readonly op: "closure" | "references"; readonly paths: readonly string[] }
  | { readonly op: "fetch-source"; readonly path: string; readonly attributes: SourceAttributes }
  /** `hash`: of the file's bytes, in SRI form. */
  | { readonly op: "fetch-file"; readonly path: string; readonly hash: string }
  | { readonly op: "fetch-closure"; readonly path: string }
  | { readonly op: "error"; readonly message: string; readonly status?: number | undefined };

export type ToEvaluation = { readonly kind: "run"; readonly settings: EvaluationSettings; readonly job: EvaluationJob };

export type FromEvaluation =
  | { readonly kind: "store"; readonly objects: readonly StoreObject[] }
  | { readonly kind: "call"; readonly call: StoreCall }
  | { readonly kind: "derivation"; readonly found: FoundDerivation }
  /** `error`: as it is printed, in bytes; `isUsage`: the command names its help after it. */
  | { readonly kind: "end"; readonly source?: FoundSource | undefined; readonly reads?: EvaluationReads | undefined; readonly program?: FoundProgram | undefined; readonly report?: FlakeReport | undefined; readonly error?: ByteString | undefined; readonly isUsage?: boolean | undefined; readonly status: number };
