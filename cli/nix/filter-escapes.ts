const ESCAPE = /\x1b(?:\[[0-?]*[ -/]*([@-~]?)|\](?:[^\x1b\x07]*)(?:\x07|\x1b\\?)?|[@-_]?)/g;

/**
 * A builder's line as the reference shows it: what moves the cursor is left out, tabs are spaces, and where there is no terminal
 * colours go too. A control character ends it. Nix: libutil/terminal.cc, filterANSIEscapes
 */
export function filterEscapes(line: string, { keepsColours }: { readonly keepsColours: boolean }): string {
  let text = "";
  let width = 0;
  const parts = line.split(ESCAPE);
  const escapes = [...line.matchAll(ESCAPE)];
  for (const [index, escape] of [...escapes, undefined].entries()) {
    // `split` puts what a group matched between the parts.
    for (const character of parts[index * 2] ?? "") {
      if (character === "\t") {
        const wide = 8 - (width % 8);
        text += " ".repeat(wide);
        width += wide;
      } else if (character === "\r" || character === "\x07") continue;
      else if (character < " " || character === "\x7f") return text;
      else {
        text += character;
        width++;
      }
    }
    if (keepsColours && escape?.[1] === "m") text += escape[0];
  }
  return text;
}
