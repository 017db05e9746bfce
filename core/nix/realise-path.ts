import type { ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { resolveSymlinks } from "./resolve-path.ts";
import { NO_POSITION, type Slot } from "./value.ts";

/** A text whose context is made valid first; placeholders in it become the outputs they stand for. */
export function realiseText(e: Evaluator, text: ByteString, context: ReadonlySet<ByteString>): ByteString {
  if (context.size === 0) return text;
  let result = text;
  for (const [placeholder, path] of e.io.realise(context)) result = result.replaceAll(placeholder, path);
  return result;
}

/** The path that a builtin reads: what it refers to is built first, and its symbolic links are followed as `mode` says. */
export function realisePath(e: Evaluator, slot: Slot, mode: "full" | "ancestors" | "none" = "full"): ByteString {
  const context = new Set<ByteString>();
  const path = e.coerceToPath(slot, NO_POSITION, context, "while realising the context of a path");
  try {
    const realised = realiseText(e, path, context);
    return mode === "none" ? realised : resolveSymlinks(e.io, realised, mode);
  } catch (error) {
    throw e.trace(error, `while realising the context of path '${path}'`);
  }
}
