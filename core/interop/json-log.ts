import { colourReport } from "../nix/colour-report.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import type { ProgressEvent } from "../util/progress.ts";

/** How much each message matters. Nix: libutil/error.hh, Verbosity */
const LEVEL = { error: 0, warning: 1, info: 3, debug: 6 } as const;

/** Nix: libutil/logging.hh, ActivityType and ResultType */
const ACTIVITY = { other: 0, copy: 100, transfer: 101, builds: 104, build: 105 } as const;
const RESULT = { logLine: 101, progress: 105 } as const;

/** One record of `--log-format internal-json`: its fields in order, one line. */
function record(fields: Readonly<Record<string, unknown>>): ByteString {
  return toByteString(`@nix ${JSON.stringify(Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))))}\n`);
}

/** Bytes that are no UTF-8 are replaced, as they are there. */
function decode(text: ByteString): string {
  return Buffer.from(text, "latin1").toString("utf8");
}

/**
 * What is said, as a record: a report of an error or a warning with its place, any other text as a message. Reports may have
 * their colours already. Nix: libutil/logging.cc, JSONLogger
 *
 * @example formatLogMessage("trace: 1") // '@nix {"action":"msg","level":0,"msg":"trace: 1"}\n'
 */
export function formatLogMessage(text: ByteString): ByteString {
  const plain = text.endsWith("\n") ? text.slice(0, -1) : text;
  const coloured = decode(plain.includes("\x1b") ? plain : colourReport(plain));
  const kind = /^(error|warning|evaluation warning|trace):/.exec(decode(plain).replace(/^\x1b\[[0-9;]*m/, ""))?.[1];
  switch (kind) {
    case "error": {
      const { message, line, column, file } = lastReport(coloured);
      return record({ action: "msg", level: LEVEL.error, msg: coloured, raw_msg: message, line, column, file });
    }
    case "evaluation warning":
      return record({ action: "msg", level: LEVEL.warning, msg: coloured, raw_msg: coloured.replace(/^.*?\x1b\[0m /, ""), line: 0, column: 0, file: "«none»:0" });
    case "warning":
      // Of a warning that is no report only the first word has a colour.
      return record({ action: "msg", level: LEVEL.warning, msg: plain.includes("\x1b") ? coloured : decode(plain).replace("warning:", "\x1b[35;1mwarning:\x1b[0m") });
    case "trace":
      return record({ action: "msg", level: LEVEL.error, msg: decode(plain) });
    default:
      return record({ action: "msg", level: LEVEL.info, msg: decode(plain) });
  }
}

/** The message itself, without what it was met in, and where it was. */
function lastReport(report: string): { readonly message: string; readonly line: number | null; readonly column: number | null; readonly file: string | null } {
  const begin = report.lastIndexOf("\x1b[31;1merror:\x1b[0m");
  const [head = "", ...frames] = report.slice(begin + "\x1b[31;1merror:\x1b[0m".length).trimStart().split(/\n {7}\x1b\[34;1mat \x1b\[35;1m/);
  const message = head.replaceAll("\n       ", "\n");
  const place = /^(.*):(\d+):(\d+)\x1b\[0m:/.exec(frames[0] ?? "");
  if (place === null) return { message, line: null, column: null, file: null };
  return { message, line: Number(place[2]), column: Number(place[3]), file: `${place[1]!}:${place[2]!}:${place[3]!}` };
}

/** What is done meanwhile, as a record; undefined for what there is none for. */
export function formatLogEvent(event: ProgressEvent): ByteString | undefined {
  switch (event.kind) {
    case "start": {
      const { id, activity, parent = 0, path, subject } = event;
      const name = path ?? subject;
      const start = (type: number, level: number, text: string, fields?: readonly (string | number)[]): ByteString => record({ action: "start", id, level, parent, text, type, ...(fields === undefined ? {} : { fields }) });
      if (activity === "build") return start(ACTIVITY.build, LEVEL.info, `building '${name}'`, [name, "", 1, 1]);
      if (activity === "substitute") return start(ACTIVITY.copy, LEVEL.info, `copying path '${name}'`, [name, "", ""]);
      if (activity === "fetch") return start(ACTIVITY.transfer, LEVEL.info, `downloading '${name}'`, [name]);
      if (activity === "realise") return start(ACTIVITY.builds, LEVEL.error, "");
      return start(ACTIVITY.other, LEVEL.debug, name);
    }
    case "progress":
      return record({ action: "result", id: event.id, type: RESULT.progress, fields: [event.done, event.total ?? 0, 0, 0] });
    case "log":
      return record({ action: "result", id: event.id, type: RESULT.logLine, fields: [event.line] });
    case "stop":
      return record({ action: "stop", id: event.id });
    case "message":
      return event.level === "debug" ? undefined : formatLogMessage(toByteString(event.level === "warning" ? `warning: ${event.text}` : event.text));
  }
}
