/** The reference implementation's answers: one `nix repl` evaluates thousands of lines, an error ends only its own. */
import { spawn, spawnSync } from "node:child_process";
import { markCase, NORMALISE, readResults, wrapCase, type CaseResult } from "./normalise.ts";

/** `command`: the words that run a program of the reference, such as `reference-nix.sh run`. */
export async function askReference(command: readonly string[], expressions: readonly string[], options: { readonly experimental?: string | undefined; readonly areFiles?: boolean } = {}): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  // One that kills the process is noted, and the rest goes on in a new one.
  while (results.length < expressions.length) {
    const rest = expressions.slice(results.length);
    const lines = await run(command, rest, options.experimental);
    const read = readResults(lines, rest.length);
    const unanswered = read.findIndex((result) => result === undefined);
    // The last one that was begun is the one that ended it.
    const done = unanswered < 0 ? rest.length : Math.max(0, unanswered - 1);
    results.push(...read.slice(0, done).map((result) => result!));
    if (done < rest.length) results.push({ ok: false, text: "the reference ended here" });
  }
  if (options.areFiles === true) return results;
  // The line editor of the repl takes a few lines amiss: those are asked again by themselves.
  for (let index = 0; index < results.length; index++) {
    if (!results[index]!.text.startsWith("syntax error")) continue;
    const [program, ...args] = [...command, "nix-instantiate", "--eval", "-E", `let normalise = ${NORMALISE}; in ${wrapCase(expressions[index]!)}`];
    const { stderr } = spawnSync(program!, args, { encoding: "latin1", timeout: 20_000, killSignal: "SIGKILL" });
    results[index] = readResults([`trace: @@0@@`, ...stderr.split("\n")], 1)[0]!;
  }
  return results;
}

function run(command: readonly string[], expressions: readonly string[], experimental: string | undefined): Promise<string[]> {
  return new Promise((resolve, reject) => {
    // Bounded in memory and time: a generated expression can ask for any amount of either.
    const [program, ...args] = ["sh", "-c", 'ulimit -v 6000000; ulimit -t 15; exec "$@"', "sh", ...command, "nix", "repl", "--quiet", ...(experimental === undefined ? [] : ["--extra-experimental-features", experimental])];
    const child = spawn(program!, args, { stdio: ["pipe", "ignore", "pipe"] });
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => child.kill("SIGKILL"), 90_000);
    child.stderr.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > 400_000_000) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString("latin1").replace(/\x1b\[[0-9;]*m/g, "").split("\n"));
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(Buffer.from(`normalise = ${NORMALISE}\n${expressions.map((expression, index) => `${markCase(index)}\n${wrapCase(expression)}`).join("\n")}\n`, "utf8"));
  });
}
