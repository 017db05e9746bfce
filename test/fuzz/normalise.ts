/**
 * A function of the language that turns any value into one that prints whole: floats to the last digit, strings with their
 * context, functions by their arguments, to a bounded depth.
 */
export const NORMALISE = [
  "let go = d: v: let t = builtins.typeOf v; in ",
  'if d > 12 then "deep" else if t == "set" && d > 0 && (v.type or null) == "derivation" then { drv = go d (v.drvPath or null); out = go d (v.outPath or null); names = builtins.attrNames v; } ',
  'else if t == "set" && builtins.attrNames v == [ ] then "empty set" ',
  // It has the time.
  'else if t == "set" && v ? currentTime && v ? langVersion then { builtins = builtins.attrNames v; } ',
  'else if t == "set" then builtins.mapAttrs (n: go (d + 1)) v ',
  'else if t == "list" then map (go (d + 1)) v ',
  'else if t == "float" then { float = builtins.toJSON v; s = toString v; } ',
  'else if t == "lambda" then { lambda = builtins.toJSON (builtins.functionArgs v); } ',
  'else if t == "string" && builtins.hasContext v then { context = builtins.getContext v; s = builtins.unsafeDiscardStringContext v; } ',
  "else v; in go 0",
].join("");

/** Prints the case's value, where it has one, on the error stream. */
export function wrapCase(expression: string): string {
  return `let result = normalise (${expression}); in builtins.deepSeq result (builtins.trace [ result ] null)`;
}

/** Prints the case's number there before it. */
export function markCase(index: number): string {
  return `builtins.trace "@@${index}@@" null`;
}

export type CaseResult = { readonly ok: boolean; readonly text: string };

/** Cuts what a run printed into the results of its cases. */
export function readResults(lines: readonly string[], count: number): (CaseResult | undefined)[] {
  const results = new Array<CaseResult | undefined>(count).fill(undefined);
  let current = -1;
  let block: string[] = [];
  const finish = (): void => {
    if (current >= 0 && current < count) results[current] = readBlock(block);
    block = [];
  };
  for (const line of lines) {
    const marker = /^trace: @@(\d+)@@$/.exec(line);
    if (marker === null) block.push(line);
    else {
      finish();
      current = Number(marker[1]);
    }
  }
  finish();
  return results;
}

function readBlock(block: readonly string[]): CaseResult {
  // The last trace is the result; a case may trace before it.
  let error = -1;
  block.forEach((line, index) => {
    if (/^\s*error: /.test(line)) error = index;
  });
  if (error >= 0) {
    const message = [block[error]!.replace(/^\s*error: /, "")];
    for (const line of block.slice(error + 1)) {
      if (/^\s*(at |$)|^\s*Did you mean|^\s*\d*\|/.test(line) || line.startsWith("nix-repl>")) break;
      message.push(line.trim());
    }
    return { ok: false, text: message.join("\n") };
  }
  const traces = block.filter((line) => line.startsWith("trace: "));
  return { ok: true, text: traces.join("\n") };
}
