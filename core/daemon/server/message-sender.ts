import { encodeUtf8 } from "../../util/bytes.ts";
import type { ProgressEvent } from "../../util/progress.ts";
import { unreachable } from "../../util/unreachable.ts";
import { writeError } from "../wire/error-codec.ts";
import { ACTIVITY, LEVEL, MESSAGE, RESULT } from "../wire/protocol.ts";
import type { WireWriter } from "../wire/wire-writer.ts";

/** More than this that a client did not take, and lines of builds' output are left out. */
const MAX_WAITING = 8 * 1024 * 1024;

/**
 * Tells a client what goes on while one of its requests is worked on; what comes at other times waits for the next
 * one. Nix: libstore/daemon.cc, TunnelLogger.
 */
export class MessageSender {
  readonly #writer: WireWriter;
  #working = false;
  #pending: (() => void)[] = [];
  #dropped = 0;
  /** How much the client wants to hear. */
  verbosity: number = LEVEL.info;

  constructor(writer: WireWriter) {
    this.#writer = writer;
  }

  get working(): boolean {
    return this.#working;
  }

  start(): void {
    this.#working = true;
    for (const send of this.#pending.splice(0)) send();
    this.#writer.push();
  }

  /** The request is done; what follows is its answer. */
  last(): void {
    if (this.#dropped > 0) this.#next(LEVEL.warning, `warning: ${this.#dropped} lines of output were left out, since they were not read fast enough; the build's log has them`);
    this.#dropped = 0;
    this.#working = false;
    this.#writer.number(MESSAGE.last);
  }

  fail(message: string): void {
    this.#working = false;
    this.#writer.number(MESSAGE.error);
    writeError(this.#writer, message);
  }

  warn(text: string): void {
    this.#next(LEVEL.warning, `warning: ${text}`);
  }

  readonly report = (event: ProgressEvent): void => {
    switch (event.kind) {
      case "start":
        return this.#send(() => this.#startActivity(event));
      case "stop":
        return this.#send(() => void this.#writer.number(MESSAGE.stopActivity).number(event.id));
      case "progress":
        return this.#result(event.id, RESULT.progress, [event.done, event.total ?? 0, 0, 0]);
      case "log":
        if (this.#writer.waiting > MAX_WAITING) this.#dropped++;
        else this.#result(event.id, RESULT.buildLogLine, [event.line]);
        return;
      case "message":
        return this.#next(event.level === "warning" ? LEVEL.warning : event.level === "notice" ? LEVEL.info : LEVEL.debug, event.level === "warning" ? `warning: ${event.text}` : event.text);
      default:
        return unreachable(event);
    }
  };

  #startActivity(event: Extract<ProgressEvent, { kind: "start" }>): void {
    const subject = event.path ?? event.subject;
    const [type, text, fields]: readonly [number, string, readonly (string | number)[]] =
      event.activity === "build" || ((event.activity === "fetch" || event.activity === "unpack") && event.path !== undefined)
        ? [ACTIVITY.build, `building '${subject}'${event.machine === undefined ? "" : ` on '${event.machine}'`}`, [subject, event.machine ?? "", 1, 1]]
        : event.activity === "substitute"
          ? [ACTIVITY.substitute, `copying path '${subject}'`, [subject, ""]]
          : event.activity === "realise"
            ? [ACTIVITY.builds, "", []]
            : [ACTIVITY.unknown, event.subject, []];
    this.#writer.number(MESSAGE.startActivity).number(event.id).number(LEVEL.info).number(type).text(text);
    this.#fields(fields);
    this.#writer.number(event.parent ?? 0);
  }

  #result(id: number, type: number, fields: readonly (string | number)[]): void {
    this.#send(() => {
      this.#writer.number(MESSAGE.result).number(id).number(type);
      this.#fields(fields);
    });
  }

  #fields(fields: readonly (string | number)[]): void {
    this.#writer.list(fields, (field) => (typeof field === "number" ? this.#writer.number(0).number(field) : this.#writer.number(1).text(field)));
  }

  #next(level: number, text: string): void {
    if (level > this.verbosity) return;
    this.#send(() => void this.#writer.number(MESSAGE.next).bytes(encodeUtf8(`${text}\n`)));
  }

  #send(write: () => void): void {
    if (!this.#working) {
      if (this.#pending.length < 1000) this.#pending.push(write);
      return;
    }
    write();
    this.#writer.push();
  }
}
