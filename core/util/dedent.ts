/**
 * Takes the common indentation off a block of lines, as the Nix language does with its own: a line break right after
 * the opening and white space before the closing go, the smallest indentation of all lines with something on them is
 * taken off each. What is put in stays as it is.
 *
 * @example
 * text: dedent`
 *   server {
 *     listen ${port};
 *   }
 * `   // "server {\n  listen 80;\n}\n"
 */
export function dedent(strings: TemplateStringsArray, ...values: readonly unknown[]): string {
  const raw = strings.raw.map((text) => text.replace(/\r\n?/g, "\n"));
  raw[0] = raw[0]!.replace(/^ *\n/, "");
  raw[raw.length - 1] = raw.at(-1)!.replace(/\n *$/, "\n");
  // Of what is put in only the place counts.
  const lines = raw.join("\0").split("\n");
  const indentation = Math.min(...lines.filter((one) => one.trim() !== "").map((one) => /^ */.exec(one)![0].length));
  const stripped = lines.map((one) => one.replace(/^ */, (spaces) => spaces.slice(Math.min(spaces.length, indentation)))).join("\n");
  return stripped
    .split("\0")
    .map((text, index) => `${index === 0 ? "" : String(values[index - 1])}${unescape(text)}`)
    .join("");
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v", "0": "\0", "\n": "" };

function unescape(text: string): string {
  return text.replace(/\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^]))/g, (_, point: string | undefined, four: string | undefined, two: string | undefined, one: string | undefined) => {
    const code = point ?? four ?? two;
    return code === undefined ? (ESCAPES[one!] ?? one!) : String.fromCodePoint(Number.parseInt(code, 16));
  });
}
