import { basename, join, relative } from "node:path";
import { watchConfig, type WatchEvent, type WatchOptions } from "../../core/config/watch-config.ts";
import type { TsosError } from "../../core/error/tsos-error.ts";
import { findProject } from "../../core/config/find-project.ts";
import { declareInputs, declareUsedModules } from "../input-types.ts";
import type { CommandContext } from "../context.ts";
import { inputSettings, parsedFolder, readLimits } from "../evaluation.ts";
import { findInstallation } from "../installation.ts";

const CLEAR = "\x1b[2J\x1b[3J\x1b[H";

/**
 * Checks again at every save, until it is interrupted. A terminal shows the last round only; what is piped gets them
 * all, and with `--json` a line for each.
 */
export async function watchAndCheck(context: CommandContext, file: string, request: WatchOptions["request"], check: boolean): Promise<never> {
  const { openRuntimeFolder } = await import("../../core/config/runtime-folder.ts");
  const installation = findInstallation();
  const isTerminal = process.stderr.isTTY === true && !context.flags.json;
  const name = relative(context.folder, file) || basename(file);
  let shown = new Set<string>();
  let found: TsosError[] = [];
  const show = async (event: WatchEvent): Promise<void> => {
    switch (event.kind) {
      case "round":
        shown = new Set();
        found = [];
        if (isTerminal) process.stderr.write(CLEAR);
        if (event.changed.length > 0 && !context.flags.json) context.say(`${nameChanged(event.changed, context.folder)} changed`);
        return;
      case "errors":
        for (const error of event.errors) {
          // The type checker and the evaluation often see the same mistake.
          const place = error.at === undefined ? error.message : `${error.at.file}:${error.at.line}`;
          if (shown.has(place)) continue;
          shown.add(place);
          found.push(error);
          if (!context.flags.json) await context.complain(error);
        }
        return;
      case "done": {
        const milliseconds = Math.round(event.milliseconds);
        if (context.flags.json) {
          const errors = found.map(({ code, message, hint, at }) => ({ code, message, hint, at }));
          context.print(JSON.stringify({ version: 1, file, isSound: event.isSound, errors, warnings: event.warnings, milliseconds }));
          return;
        }
        for (const warning of event.warnings) context.say(`warning: ${warning}`);
        context.say(event.isSound ? `${name} is sound (${milliseconds} ms); waiting for changes` : `${found.length === 1 ? "1 error" : `${found.length} errors`} (${milliseconds} ms); waiting for changes`);
      }
    }
  };
  declareUsedModules(findProject(file), file);
  return watchConfig({ declareInputs: (declared) => declareInputs(findProject(file), declared), file, request, runtime: openRuntimeFolder(join(installation, "dist")), installation, check, parsedFolder: parsedFolder(context), inputs: inputSettings(context), limits: readLimits(context.env), signal: context.signal, onEvent: show });
}

/** A folder in which a file appeared changed as well; that is not news. */
function nameChanged(paths: readonly string[], folder: string): string {
  const innermost = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
  return innermost.map((path) => relative(folder, path) || ".").join(", ");
}
