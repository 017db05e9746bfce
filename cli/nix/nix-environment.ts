import type { EvaluationSession } from "../../core/interop/evaluation-session.ts";
import type { ProgressEvent } from "../../core/util/progress.ts";
import type { ByteString } from "../../core/util/bytes.ts";

/** What a classic command has to work with. */
export type NixEnvironment = {
  /** As it was called, for hints: `tsos nix build`. */
  readonly command: string;
  /** `nix-build`. */
  readonly classic: string;
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  readonly signal: AbortSignal;
  openEvaluation(): EvaluationSession;
  /** Until it ends, an interrupt asks builds to end; else it ends the program at once. */
  whileBuilding<T>(run: () => Promise<T>): Promise<T>;
  /** From now on signals are for the program that takes this one's place. */
  handTerminalOver(): void;
  /** For stdout, as it is. */
  readonly print: (text: string) => void;
  /** For stderr, a line. */
  readonly say: (text: string) => void;
  /** The same of bytes as they are. */
  readonly sayBytes: (text: ByteString) => void;
  readonly warn: (text: string) => void;
  /** Takes what builds tell of themselves where records are wanted instead of text; false where they are not. */
  readonly logEvent: (event: ProgressEvent) => boolean;
};
