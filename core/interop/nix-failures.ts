import { TsosError, type RelatedPosition } from "../error/tsos-error.ts";
import { formatNixError, NixError, type NixTrace } from "../nix/nix-error.ts";
import { byteStringToBytes, decodeUtf8Lossy, fromByteString, type ByteString } from "../util/bytes.ts";

/** What an error of the language is told with, where TypeScript knows more than the language does. */
export type FailureAdvice = { readonly expected?: string | undefined; readonly hint?: string | undefined };

/** Frames of the trace that are told as places of their own; the whole trace is in `data.trace`. */
const MOST_FRAMES = 2;
const MOST_CONTEXTS = 3;
const TOO_DEEP = "look for a recursion without an end, also one that goes through TypeScript and back";
const LONGEST_TRACE = 20_000;
/** Of a recursion without end there are thousands, and it passes the border as often. */
const MOST_LOOKED_AT = 100;

/**
 * Errors at the border of the two languages. One of the language becomes a `TsosError` that is placed at the line of
 * TypeScript that asked, and, where it passes back into the language, itself again: so its trace has the frames of all
 * expressions that it went through, and the innermost line of TypeScript stays known.
 */
export class NixFailures {
  readonly #origins = new WeakMap<TsosError, NixError>();
  /** Who in TypeScript asked for what failed, innermost first. Only their stacks are of interest. */
  readonly #asked = new WeakMap<NixError, Error[]>();
  readonly #advice = new WeakMap<NixError, FailureAdvice>();

  /** @throws TsosError `nix.evaluation`, `nix.stack-overflow` for what the language throws */
  run<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof NixError) throw this.#toTsosError(error);
      if (error instanceof RangeError && error.message.includes("call stack")) {
        throw new TsosError({ code: "nix.stack-overflow", message: "the Nix expression calls itself too deeply", hint: TOO_DEEP, cause: error });
      }
      throw error;
    }
  }

  /** What TypeScript throws passes through the language as it is; what the language threw is its own error again. */
  call<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      const origin = error instanceof TsosError ? this.#origins.get(error) : undefined;
      if (origin === undefined) throw error;
      this.askedBy(origin, error as TsosError);
      throw origin;
    }
  }

  /** Remembers a line of TypeScript that the expression which failed stands in for. */
  askedBy(error: NixError, asker: Error): NixError {
    const known = this.#asked.get(error);
    if (known === undefined) this.#asked.set(error, [asker]);
    else if (known.length <= MOST_FRAMES) known.push(asker);
    return error;
  }

  advise(error: NixError, advice: FailureAdvice): NixError {
    if (!this.#advice.has(error)) this.#advice.set(error, advice);
    return error;
  }

  /** The error of the language that this one tells of. */
  origin(error: unknown): NixError | undefined {
    return error instanceof TsosError ? this.#origins.get(error) : undefined;
  }

  #toTsosError(error: NixError): TsosError {
    const made = createFailure(error, this.#advice.get(error));
    const [first, ...others] = this.#asked.get(error) ?? [];
    if (first !== undefined) {
      const asked = [...others.slice(0, MOST_FRAMES), made].flatMap((asker) => askedHere(asker.stack ?? ""));
      const placed = new TsosError({ code: made.code, message: made.message, hint: made.hint, related: [...made.related, ...asked], data: made.data });
      placed.stack = first.stack ?? "";
      this.#origins.set(placed, error);
      return placed;
    }
    this.#origins.set(made, error);
    return made;
  }
}

/** The innermost line of the configuration in a stack. */
export function askedHere(stack: string, note = "asked for here"): readonly RelatedPosition[] {
  const frame = /^ {4}at (?:.*\()?(tsos:config):(\d+):(\d+)\)?$/m.exec(stack);
  return frame === null ? [] : [{ file: frame[1]!, line: Number(frame[2]), column: Number(frame[3]), note }];
}

function createFailure(error: NixError, advice: FailureAdvice | undefined): TsosError {
  const contexts = error.traces.slice(0, MOST_LOOKED_AT).filter(({ message, position }) => position === undefined && message !== "").map(({ message }) => shown(message).split("\n")[0]!);
  // Those that its own message names already say nothing more.
  const told = contexts.filter((context, i) => contexts.indexOf(context) === i && !error.message.includes(/`[^']+'/.exec(context)?.[0] ?? "\0")).slice(0, MOST_CONTEXTS);
  const suggestions = error.suggestions.length === 0 ? undefined : `did you mean ${error.suggestions.map((name) => `"${shown(name)}"`).join(" or ")}?`;
  const options = optionsIn(error.message, contexts);
  return new TsosError({
    code: "nix.evaluation",
    message: [error.message.trimEnd(), ...told.map((context) => `… ${context.replace(/:$/, "")}`)].join("\n"),
    hint: [suggestions, advice?.hint ?? error.advice ?? hintFor(error)].filter((one) => one !== undefined).join("; ") || undefined,
    related: placesOf(error, "nixOption" in options),
    data: {
      kind: error.kind,
      ...(advice?.expected === undefined ? {} : { expected: advice.expected }),
      ...options,
      // Most errors pass on without anybody looking at it.
      get trace() {
        return formatNixError(error, { showTrace: error.traces.length < MOST_LOOKED_AT * 10 }).slice(0, LONGEST_TRACE);
      },
    },
  });
}

/** Whether the language's calls nest too deeply: trying something else at each level would never end. */
export function isTooDeep(error: NixError): boolean {
  return error.kind === "eval" && error.message.startsWith("stack overflow");
}

function hintFor(error: NixError): string | undefined {
  const { kind } = error;
  if (isTooDeep(error)) return TOO_DEEP;
  if (kind === "recursion") return "a value is made from itself: let one of them not depend on the other";
  if (error.message.includes("attribute 'currentSystem' missing")) return 'a pure evaluation does not know the machine that it runs on: say what the packages are for, { system = "x86_64-linux"; }';
  if (kind === "restricted") return "an evaluation sees its project and its inputs only: make it an input, or a file of the project";
  return undefined;
}

/** The options that an error is about, the nearest first, as its own words and the module system's name them. */
function optionsIn(message: string, contexts: readonly string[]): { readonly nixOption?: string; readonly withinOptions?: readonly string[] } {
  const nixOption = /\boption `([^']+)'/i.exec(message)?.[1];
  const withinOptions = [...new Set(contexts.flatMap((context) => /^while evaluating the option `(.+)':?$/.exec(context)?.[1] ?? []))].slice(0, 12);
  return { ...(nixOption === undefined ? {} : { nixOption }), ...(withinOptions.length === 0 ? {} : { withinOptions }) };
}

/**
 * Where in the language it failed, then what asked for that; what files of the project say comes before all other
 * frames. Of what is wrong with an option's definition the module system's own frames say nothing.
 */
function placesOf(error: NixError, isAboutOption: boolean): readonly RelatedPosition[] {
  const placed = error.traces.slice(0, MOST_LOOKED_AT).filter((trace): trace is NixTrace & { readonly position: NonNullable<NixTrace["position"]> } => trace.position !== undefined && trace.print !== "verbose" && isFile(trace.position.file));
  const own = error.position !== undefined && isFile(error.position.file) ? error.position : undefined;
  const innermost = own ?? placed[0]?.position;
  if (innermost === undefined) return [];
  const place = (position: NonNullable<NixTrace["position"]>, note: string): RelatedPosition => ({ file: fromByteString(position.file), line: position.line, column: position.column, note });
  const isAt = (line: NonNullable<NixTrace["position"]>, other: NonNullable<NixTrace["position"]>): boolean => line.file === other.file && line.line === other.line;
  const frames = placed.filter(({ position }, i) => !isAt(position, innermost) && !placed.slice(0, i).some((before) => isAt(before.position, position)));
  const ofProject = frames.filter(({ position }) => position.file.startsWith("/project/"));
  const chosen = [...ofProject, ...(isAboutOption ? [] : frames.filter((frame) => !ofProject.includes(frame)))].slice(0, MOST_FRAMES);
  return [place(innermost, "in the Nix expression"), ...frames.filter((frame) => chosen.includes(frame)).map(({ message, position }) => place(position, shown(message).replace(/:$/, "")))];
}

/** Texts that are no file are named in guillemets. */
function isFile(file: ByteString): boolean {
  return file.startsWith("/");
}

function shown(text: ByteString): string {
  return decodeUtf8Lossy(byteStringToBytes(text));
}
