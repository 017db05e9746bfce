/** What takes long reports itself with these; one listener draws them all (`cli/output`). */
export type ProgressEvent =
  | {
      readonly kind: "start";
      readonly id: number;
      readonly parent?: number;
      readonly activity: ProgressActivity;
      /** What it is about, for people: a derivation's name, a file's name. */
      readonly subject: string;
      /** The whole path of the derivation or store object that it is about. */
      readonly path?: string;
      /** The other machine that does it. */
      readonly machine?: string | undefined;
      /** The size of the work in `unit`s, where known beforehand. */
      readonly total?: number;
      readonly unit?: "bytes" | "items";
    }
  | { readonly kind: "progress"; readonly id: number; readonly done: number; readonly total?: number }
  /** One line of a build's output, without its newline. */
  | { readonly kind: "log"; readonly id: number; readonly line: string }
  | { readonly kind: "stop"; readonly id: number; readonly outcome: "done" | "failed" | "cancelled" }
  | { readonly kind: "message"; readonly level: "warning" | "notice" | "debug"; readonly text: string };

export type ProgressActivity = "evaluate" | "check" | "realise" | "build" | "fetch" | "substitute" | "unpack" | "copy" | "collect" | "verify" | "repair" | "optimise" | "activate";

export type ProgressListener = (event: ProgressEvent) => void;

/** Numbers for `id`; one source for each listener. */
export function createActivityIds(): () => number {
  let last = 0;
  return () => ++last;
}
