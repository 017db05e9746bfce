import type { ProgressActivity, ProgressEvent, ProgressListener } from "../../core/util/progress.ts";
import type { Style } from "./style.ts";
import { formatBytes, formatDuration } from "./units.ts";

type Activity = {
  readonly activity: ProgressActivity;
  readonly subject: string;
  readonly started: number;
  readonly unit: "bytes" | "items" | undefined;
  total: number | undefined;
  done: number;
  lastLine: string | undefined;
};

export type ProgressRenderer = {
  readonly report: ProgressListener;
  /** Takes the live lines off the screen; what was written stays. */
  close(): void;
  /** Writes a line above the live lines. */
  write(text: string): void;
};

export type ProgressRendererOptions = {
  readonly stream: { write(text: string): unknown; readonly columns?: number };
  readonly live: boolean;
  readonly style: Style;
  /** -1 quiet: failures only; 0; 1: build output too. */
  readonly verbosity: number;
  readonly now: () => number;
};

const VERBS: Readonly<Record<ProgressActivity, string>> = {
  evaluate: "evaluating",
  check: "checking",
  realise: "realising",
  build: "building",
  fetch: "fetching",
  substitute: "substituting",
  unpack: "unpacking",
  copy: "copying",
  collect: "collecting",
  verify: "verifying",
  repair: "repairing",
  optimise: "optimising",
  activate: "activating",
};

/** How often the live lines are drawn anew, at most. Milliseconds. */
const INTERVAL = 100;
/** More running activities than this are counted, not listed. */
const MOST_LINES = 8;
/** In plain output a fetch is only worth a line when it is at least this large. */
const LARGE_FETCH = 8 * 1024 * 1024;

/**
 * Draws progress events: live lines on a terminal, otherwise a line for each build that starts and each
 * that fails, so that a log stays readable.
 */
export function createProgressRenderer(options: ProgressRendererOptions): ProgressRenderer {
  const { stream, live, style, verbosity, now } = options;
  const running = new Map<number, Activity>();
  const finished = new Map<ProgressActivity, number>();
  let fetchedBytes = 0;
  let drawnLines = 0;
  let lastDraw = 0;
  let timer: NodeJS.Timeout | undefined;

  const clear = (): void => {
    if (drawnLines > 0) stream.write(`\u001b[${drawnLines}A\u001b[0J`);
    drawnLines = 0;
  };

  const describe = (activity: Activity): string => {
    const amount = (value: number): string => (activity.unit === "bytes" ? formatBytes(value) : String(value));
    const parts = [`${VERBS[activity.activity]} ${style.bold(activity.subject)}`];
    if (activity.unit !== undefined && activity.done > 0) {
      parts.push(style.dim(activity.total === undefined ? amount(activity.done) : `${amount(activity.done)} of ${amount(activity.total)}`));
    }
    const elapsed = now() - activity.started;
    if (elapsed > 2000) parts.push(style.dim(formatDuration(elapsed)));
    if (activity.lastLine !== undefined) parts.push(style.dim(activity.lastLine));
    return parts.join(" ");
  };

  const draw = (): void => {
    lastDraw = now();
    clear();
    const width = Math.max(20, (stream.columns ?? 80) - 1);
    const shown = [...running.values()].filter((activity) => activity.activity !== "realise");
    const lines = shown.slice(-MOST_LINES).map((activity) => truncate(`  ${describe(activity)}`, width));
    if (shown.length > MOST_LINES) lines.push(style.dim(`  and ${shown.length - MOST_LINES} more`));
    if (lines.length > 0) {
      const counts = [...finished].map(([activity, count]) => `${count} ${PAST[activity]}`);
      if (counts.length > 0) lines.push(truncate(style.dim(`  ${counts.join(", ")}${fetchedBytes > 0 ? ` (${formatBytes(fetchedBytes)})` : ""}`), width));
      stream.write(`${lines.join("\n")}\n`);
    }
    drawnLines = lines.length;
  };

  const schedule = (): void => {
    if (!live || verbosity < 0 || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      draw();
    }, Math.max(0, INTERVAL - (now() - lastDraw)));
    timer.unref();
  };

  const write = (text: string): void => {
    clear();
    stream.write(`${text}\n`);
    schedule();
  };

  const report = (event: ProgressEvent): void => {
    switch (event.kind) {
      case "start": {
        const activity: Activity = {
          activity: event.activity,
          subject: event.machine === undefined ? event.subject : `${event.subject} on ${event.machine}`,
          started: now(),
          unit: event.unit,
          total: event.total,
          done: 0,
          lastLine: undefined,
        };
        running.set(event.id, activity);
        if (!live && verbosity >= 0 && isWorthALine(activity)) write(`${VERBS[activity.activity]} ${activity.subject}`);
        break;
      }
      case "progress": {
        const activity = running.get(event.id);
        if (activity === undefined) break;
        activity.done = event.done;
        if (event.total !== undefined) activity.total = event.total;
        break;
      }
      case "log": {
        const activity = running.get(event.id);
        if (activity !== undefined) activity.lastLine = event.line.trim() === "" ? activity.lastLine : event.line.trim();
        if (verbosity > 0) write(`${style.dim(`${activity?.subject ?? "build"}>`)} ${event.line}`);
        break;
      }
      case "stop": {
        const activity = running.get(event.id);
        running.delete(event.id);
        if (activity === undefined) break;
        if (event.outcome === "done") {
          finished.set(activity.activity, (finished.get(activity.activity) ?? 0) + 1);
          if (activity.activity === "fetch") fetchedBytes += activity.done;
        } else if (event.outcome === "failed" && activity.activity === "build") {
          write(style.red(`failed: ${activity.subject}`));
        }
        break;
      }
      case "message":
        if (event.level === "debug" ? verbosity > 0 : verbosity >= 0) {
          write(event.level === "warning" ? `${style.yellow("warning:")} ${event.text}` : event.text);
        }
        break;
    }
    schedule();
  };

  return {
    report,
    write,
    close: () => {
      if (timer !== undefined) clearTimeout(timer);
      clear();
    },
  };
}

const PAST: Readonly<Record<ProgressActivity, string>> = {
  evaluate: "evaluated",
  check: "checked",
  realise: "realised",
  build: "built",
  fetch: "fetched",
  substitute: "substituted",
  unpack: "unpacked",
  copy: "copied",
  collect: "collected",
  verify: "verified",
  repair: "repaired",
  optimise: "optimised",
  activate: "activated",
};

function isWorthALine(activity: Activity): boolean {
  if (activity.activity === "build" || activity.activity === "activate") return true;
  return (activity.activity === "fetch" || activity.activity === "substitute") && (activity.total ?? 0) >= LARGE_FETCH;
}

/** Cuts to `width` columns without cutting an escape sequence; styles are closed at the cut. */
function truncate(text: string, width: number): string {
  let columns = 0;
  let result = "";
  for (const part of text.split(/(\u001b\[\d+m)/)) {
    if (part.startsWith("\u001b")) {
      result += part;
      continue;
    }
    const room = width - columns;
    if (room <= 0) continue;
    result += part.length > room ? `${part.slice(0, room - 1)}…` : part;
    columns += part.length;
  }
  return result;
}
