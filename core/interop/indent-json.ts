import type { ByteString } from "../util/bytes.ts";

/**
 * JSON without blanks as JSON over several lines; numbers and texts stay as they are written.
 *
 * @example indentJson('{"a":[1],"b":{}}') // '{\n  "a": [\n    1\n  ],\n  "b": {}\n}'
 */
export function indentJson(text: ByteString): ByteString {
  const parts: string[] = [];
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|\[\]|\{\}|[[\]{},:]|[^"[\]{},:]+/gs)) {
    if (token === "[" || token === "{") parts.push(`${token}\n${"  ".repeat(++depth)}`);
    else if (token === "]" || token === "}") parts.push(`\n${"  ".repeat(--depth)}${token}`);
    else if (token === ",") parts.push(`,\n${"  ".repeat(depth)}`);
    else parts.push(token === ":" ? ": " : token);
  }
  return parts.join("");
}
