/**
 * Differential fuzzing of the Nix language against the reference implementation.
 *
 *   npm run fuzz:nix -- [--seed N] [--cases N] [--batch N] [--wrong P] [--reference COMMAND] [--messages] [--focus toml|json|match|split|hash|version|derivation] [--source expression|program|mutation]
 *
 * `expression`: builtins with arguments of every kind; `program`: all constructs of the language; `mutation`: the cases
 * of `test/lang` with other tokens. The latter two are files that are imported.
 *
 * Prints each difference made as small as it gets: where one fails and the other does not, or where the values differ;
 * messages are counted, and shown with --messages. --corpus FILE adds the cases and what the reference says of them to a
 * file, for `corpus.test.ts`.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { ExpressionGenerator, printExpression, type Expression } from "./generate-expression.ts";
import { ProgramGenerator } from "./generate-program.ts";
import { mutateProgram, readPrograms } from "./mutate-program.ts";
import type { CaseResult } from "./normalise.ts";
import { prepareFiles } from "./prepare-files.ts";
import { Random } from "./random.ts";
import { askReference } from "./reference.ts";
import { smaller } from "./shrink.ts";
import { startSubject } from "./subject.ts";

const TOOL = join(import.meta.dirname, "../../../shared/tools/reference-nix.sh");
const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" }, cases: { type: "string", default: "2000" }, batch: { type: "string", default: "1000" }, wrong: { type: "string", default: "0.04" },
    reference: { type: "string", default: `${TOOL} run` }, messages: { type: "boolean", default: false }, out: { type: "string" }, focus: { type: "string" }, expression: { type: "string", multiple: true }, quick: { type: "boolean", default: false }, corpus: { type: "string" },
    source: { type: "string", default: "expression" },
  },
});
const command = options.reference.split(" ");
/** What the reference sees as `/tmp/tsos-fuzz`. */
const root = options.reference.startsWith(TOOL) ? spawnSync(TOOL, ["root"], { encoding: "utf8" }).stdout.trim() : "";
const FILES = "/tmp/tsos-fuzz";
prepareFiles(`${root}${FILES}`);
/** Programs stand here, each under a name of its own. */
const PROGRAMS = `/tmp/tsos-fuzz-programs-${process.pid}`;
const maps = [FILES, PROGRAMS].map((folder) => [folder, `${root}${folder}`] as const);
const areFiles = options.source !== "expression";
let written = 0;

type Verdict = "same" | "value" | "outcome" | "message" | "unknown";

function judge(reference: CaseResult, ours: CaseResult): Verdict {
  if (reference.text === "the reference ended here") return "unknown";
  // 2.34 refuses to look for what no store path can be called, and says later that it should not have.
  if (ours.ok && /^path '[^']*' is not a valid store path: |is too short to be a valid store path$/.test(reference.text.split("\n")[0]!)) return "unknown";
  // A store reads what is called a derivation; there is none on our side.
  if (ours.ok && reference.text.startsWith("error parsing derivation ")) return "unknown";
  // Bounded in time on both sides; it is printed, so that what hangs is seen.
  if (ours.text === "BUG no answer") return "unknown";
  if (reference.ok !== ours.ok) return "outcome";
  if (plain(reference.text) === plain(ours.text)) return "same";
  if (reference.ok) return "value";
  return ours.text.startsWith("BUG") ? "outcome" : "message";
}

/** Without the name that a text has there, tabs (a log has spaces instead), the time, and what of `builtins` is evaluated at once there and late here. */
function plain(text: string): string {
  return text.replace(/\bcurrentTime = (\d+|\u00c2\u00abthunk\u00c2\u00bb)/g, "currentTime = 0").replace(/\bderivation = \u00c2\u00ab(thunk|lambda @ \u00c2\u00abnix-internal\u00c2\u00bb[^;]*)\u00c2\u00bb/g, "derivation = 0").replace(/\u00c2\u00abstring\u00c2\u00bb:/g, "/case:").replace(/[ \t\r]+/g, " ");
}

await using subject = await startSubject();
const compare = async (texts: readonly string[]): Promise<(readonly [CaseResult, CaseResult, Verdict])[]> => {
  const expressions = areFiles ? writePrograms(texts) : texts;
  const [reference, ours] = await Promise.all([askReference(command, expressions, { areFiles }), subject.ask({ expressions, maps })]);
  const judged = reference.map((result, index) => [result, ours[index]!, judge(result, ours[index]!)] as const);
  if (texts.length === 1) return judged;
  // The order in which names were first seen decides what is compared first, and a batch has seen others: by themselves.
  for (const [index, [, , verdict]] of judged.entries()) {
    if (verdict === "value" || verdict === "outcome" || (verdict === "message" && options.messages)) judged[index] = (await compare([texts[index]!]))[0]!;
  }
  return judged;
};

/** Writes each text to a file that nothing has read yet; the result are expressions that import them. */
function writePrograms(texts: readonly string[]): string[] {
  rmSync(`${root}${PROGRAMS}`, { recursive: true, force: true });
  mkdirSync(`${root}${PROGRAMS}`, { recursive: true });
  return texts.map((text) => {
    const file = `${PROGRAMS}/${written++}.nix`;
    writeFileSync(`${root}${file}`, text, options.source === "mutation" ? "latin1" : "utf8");
    return `import ${file}`;
  });
}

/** The smallest form of a case with the same kind of difference. */
async function shrink(start: Expression, verdict: Verdict): Promise<string> {
  let text = printExpression(start);
  let tree: Expression | undefined = start;
  for (let round = 0; round < 20 && tree !== undefined; round++) {
    const candidates: string[] = smaller(tree).filter((candidate) => candidate.length < text.length).slice(0, 400);
    if (candidates.length === 0) break;
    const verdicts = await compare(candidates);
    let best: string | undefined;
    verdicts.forEach(([, , found], index) => {
      if (found === verdict && (best === undefined || candidates[index]!.length < best.length)) best = candidates[index]!;
    });
    if (best === undefined) break;
    text = best;
    tree = reparse(tree, best);
  }
  return text;
}

/** The tree that prints as `text`: one of those one step smaller. */
function reparse(tree: Expression, text: string): Expression | undefined {
  const replaceIn = (node: Expression): Expression[] => [
    ...node.parts.flatMap((part) => (typeof part === "string" ? [] : [part])),
    ...["null", "1", '""', "[ ]", "{ }", "true"].map((simple): Expression => ({ type: "any", parts: [simple] })),
    ...node.parts.flatMap((part, index) => (typeof part === "string" ? [] : replaceIn(part).map((inner): Expression => ({ type: node.type, parts: node.parts.with(index, inner) })))),
  ];
  return replaceIn(tree).find((candidate) => printExpression(candidate) === text);
}

const show = ([reference, ours]: readonly [CaseResult, CaseResult, Verdict]): string =>
  `  reference: ${reference.ok ? "" : "FAILS "}${reference.text.slice(0, 300)}\n  ours:      ${ours.ok ? "" : "FAILS "}${ours.text.slice(0, 300)}\n`;

if (options.expression !== undefined) {
  const results = await compare(options.expression);
  results.forEach((result, index) => console.log(`${result[2]}: ${options.expression![index]}\n${show(result)}`));
} else {
  const seed = Number(options.seed);
  const total = Number(options.cases);
  const batch = Number(options.batch);
  const counts: Record<Verdict, number> = { same: 0, value: 0, outcome: 0, message: 0, unknown: 0 };
  const known = options.source === "mutation" ? readPrograms() : [];
  let succeeded = 0;
  const seen = new Map<string, number>();
  for (let done = 0; done < total; done += batch) {
    const random = new Random(seed * 1_000_003 + done);
    const generator = new ExpressionGenerator(random, { files: FILES, wrongTypes: Number(options.wrong) });
    const programs = new ProgramGenerator(random, Number(options.wrong));
    const cases = Array.from({ length: Math.min(batch, total - done) }, (): Expression => {
      if (options.focus !== undefined) return generator.generateText(options.focus);
      if (options.source === "program") return programs.generate();
      return options.source === "mutation" ? { type: "any", parts: mutateProgram(random, known) } : generator.generate();
    });
    const results = await compare(cases.map(printExpression));
    process.stderr.write(`${done + cases.length} compared\n`);
    if (options.corpus !== undefined) {
      const rows = results.flatMap(([reference, , verdict], index) => {
        const expression = printExpression(cases[index]!);
        return verdict === "unknown" || expression.length > 300 ? [] : [JSON.stringify([expression, reference.ok ? Buffer.from(reference.text, "latin1").toString("base64") : null])];
      });
      appendFileSync(options.corpus, `${rows.join("\n")}\n`);
    }
    for (let index = 0; index < results.length; index++) {
      const result = results[index]!;
      const verdict = result[2];
      counts[verdict]++;
      if (result[0].ok) succeeded++;
      if (verdict === "same" || (verdict === "message" && !options.messages)) continue;
      // The same difference is shown a few times only.
      const kind = `${verdict} ${(result[0].ok ? "" : result[0].text).replace(/'[^']*'|"[^"]*"|\d+|; values are.*|: .*/gs, "")}|${(result[1].ok ? "" : result[1].text).replace(/'[^']*'|"[^"]*"|\d+|; values are.*|: .*/gs, "")}`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (seen.get(kind)! > 2) continue;
      const text = options.quick || verdict === "unknown" || result[1].text === "BUG no answer" ? printExpression(cases[index]!) : await shrink(cases[index]!, verdict);
      const [again] = await compare([text]);
      console.log(`${verdict}: ${text}\n${show(again!)}`);
      if (options.out !== undefined) appendFileSync(options.out, `${text}\n`);
    }
    process.stderr.write(`${done + cases.length}: ${JSON.stringify(counts)}\n`);
  }
  console.log(`seed ${seed}, ${total} cases, ${succeeded} with a value: ${JSON.stringify(counts)}`);
  for (const [kind, count] of [...seen].sort((a, b) => b[1] - a[1])) console.log(`${count} × ${kind.slice(0, 200)}`);
  if (counts.value + counts.outcome > 0) process.exitCode = 1;
}
