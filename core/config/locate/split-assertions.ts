import type { SourcePosition } from "../../error/source-position.ts";
import { parseOptionPath } from "../../option/option-path.ts";
import type { ErrorData } from "../protocol.ts";

/** Assertions are thrown together; each has a place of its own, by the option that its message begins with. */
export function splitAssertions(error: ErrorData): readonly ErrorData[] {
  if (error.code === "nix.evaluation" && Array.isArray(error.data?.["assertions"])) return (error.data["assertions"] as readonly FailedAssertion[]).map((assertion) => ofNixModules(error, assertion));
  const failed = error.code === "option.assertion-failed" ? error.data?.["failed"] : undefined;
  if (!Array.isArray(failed)) return [error];
  const sites = error.data?.["sites"];
  return failed.map(String).map((message, i) => ({ ...error, message, data: { failed: [message], optionPath: leadingPath(message), definitions: Array.isArray(sites) && !OF_OLD_NAME.test(message) ? (sites[i] as unknown) : undefined } }));
}

/** One of those that the modules of a Nix expression make (`core/interop/failed-assertions.ts`). */
type FailedAssertion = { readonly message: string; readonly at: SourcePosition | null };

function ofNixModules(error: ErrorData, { message, at }: FailedAssertion): ErrorData {
  const { assertions: _, ...data } = error.data ?? {};
  return { ...error, message: `Failed assertions:\n- ${message}`, related: at === null ? [] : [{ ...at, note: "asserted here" }], data: { ...data, assertion: message } };
}

// It is not about where it is asserted, but about the definition that it names.
const OF_OLD_NAME = /^(?:specialisation "[^"]*": )*the option "/;

// `services.x.y must …`, or of an option that is gone `the option "services.x" (place) has been …`; a variant's too.
function leadingPath(message: string): readonly string[] | undefined {
  const plain = message.replace(/^(?:specialisation "[^"]*": )+/, "");
  const text = /^the option "(.+?)" \(/.exec(plain)?.[1] ?? /^[A-Za-z_][\w-]*(?:\.(?:[\w-]+|"(?:[^"\\]|\\.)*"))+/.exec(plain)?.[0];
  return text === undefined ? undefined : readOptionPath(text);
}

/** The option path that a text names; undefined where it is none. */
export function readOptionPath(text: string): readonly string[] | undefined {
  try {
    return parseOptionPath(text);
  } catch {
    return undefined;
  }
}
