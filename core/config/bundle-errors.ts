import { basename, resolve } from "node:path";
import type { Message } from "esbuild";
import { TsosError } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";
import { TSOS, TSOS_NAMESPACE } from "./bundle-names.ts";
import type { BundleOptions } from "./bundle-options.ts";
import type { Refusal } from "./bundle-refusals.ts";

export function isBuildFailure(error: unknown): error is { readonly errors: readonly Message[] } {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}

const MISSING_EXPORT = /^No matching export in "([^"]+)" for import "([^"]+)"$/;

/** A message of the compiler, in our words where it has its own that say what to do. */
export function toTsosError(message: Message, options: BundleOptions): TsosError {
  const { location } = message;
  const at = location === null || location.file === "tsos:entry" ? undefined : {
    file: resolve(options.project, location.file),
    line: location.line,
    // esbuild counts UTF-8 bytes from 0.
    column: Buffer.from(location.lineText).subarray(0, location.column).toString().length + 1,
  };
  const related = message.notes.flatMap((note) =>
    note.location === null || note.location === undefined || note.text.startsWith("The plugin ") ? [] : [{ file: resolve(options.project, note.location.file), line: note.location.line, column: note.location.column + 1, note: lowerFirst(note.text.replace(/:$/, "")) }],
  );
  const detail = message.detail as Partial<Refusal> | undefined;
  if (detail?.code !== undefined) return new TsosError({ code: detail.code, message: message.text, hint: detail.hint, at, related });

  const missing = MISSING_EXPORT.exec(message.text);
  if (missing !== null) {
    const [, from = "", name = ""] = missing;
    if (name === "default" && at === undefined && options.file !== undefined) {
      return new TsosError({
        code: "config.no-default",
        message: `"${basename(options.file)}" exports no configuration`,
        hint: "export default defineSystem({ … }), or defineShell",
        at: { file: options.file, line: 1, column: 1 },
      });
    }
    const isTsos = from.startsWith(`${TSOS_NAMESPACE}:`);
    const near = isTsos ? findNearestName(name, options.exports) : undefined;
    const suggested = near ?? /^Did you mean to import "([^"]+)"/.exec(message.notes[0]?.text ?? "")?.[1];
    return new TsosError({
      code: "config.unknown-export",
      message: `"${isTsos ? TSOS : from}" does not export "${name}"`,
      hint: suggested === undefined ? undefined : `did you mean "${suggested}"?`,
      at,
      related: isTsos ? [] : related.filter((r) => !r.note.startsWith("did you mean")),
    });
  }
  if (message.text.startsWith("Duplicate key")) {
    return new TsosError({ code: "config.duplicate-key", message: `${lowerFirst(message.text).replace(" in object literal", " in one object")}: only the last would count`, hint: "write it once, with the values merged", at, related });
  }
  if (message.text.startsWith("Top-level await")) {
    return new TsosError({ code: "config.async", message: "a configuration cannot wait: await is not available", hint: "an evaluation is synchronous: compute the value at once", at });
  }
  if (message.text.startsWith('"import.meta" is not available')) {
    return new TsosError({ code: "config.impure", message: '"import.meta" is not available in a configuration', hint: 'use path("./file"), which is relative to the file it stands in', at });
  }
  if (/^(This call to|Converting) "(require|import)"|^Indirect calls to "require"/.test(message.text) || /^This "import" expression will not be bundled/.test(message.text)) {
    return new TsosError({ code: "config.impure-import", message: "a configuration imports only what it names: this import's name is computed", hint: 'write import … from "./file.ts" at the top of the file', at });
  }
  if ( message.text.startsWith('Could not resolve "')) {
    return new TsosError({ code: "config.unknown-import", message: lowerFirst(message.text), at, related });
  }
  return new TsosError({ code: "config.syntax", message: lowerFirst(message.text), hint: syntaxHint(message.text), at, related });
}

/** The compiler's words name what it met; what is amiss stands before it. */
function syntaxHint(text: string): string | undefined {
  const [, expected, found] = /^Expected "([)}\]])" but found (.+)$/.exec(text) ?? [];
  if (expected === undefined || found === undefined) return undefined;
  if (/^"[)}\];]"$|^end of file$/.test(found)) return `is a "${expected}" missing before it?`;
  return "is a comma missing before it?";
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
