import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startEvaluating } from "../../test/core/nix/evaluate.ts";
import type { EvaluateRequest } from "../../test/core/nix/evaluate-worker.ts";
import type { LintLevel, NixSettings } from "../../core/nix/nix-settings.ts";

// node --import tsx cli/dev/lang-suite.ts CHECKOUT/tests/functional [--expected FOLDER] [--show NAME]…
// Runs the reference's language suite, which is not part of this repository. What is expected is what the suite holds,
// or what a run of the reference left in FOLDER: NAME.out, NAME.err.

/** Where the suite believes to be. */
const HERE = "/pwd";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { expected: { type: "string" }, here: { type: "string" }, show: { type: "string", multiple: true }, failed: { type: "boolean" } },
});
const suite = resolve(positionals[0] ?? ".");
const lang = join(suite, "lang");
if (!existsSync(lang)) {
  console.error(`lang-suite: there is no folder "${lang}"; name the reference's tests/functional`);
  process.exit(2);
}

type Outcome = { readonly ok: boolean; readonly out: string; readonly err: string };
type Count = { cases: number; ended: number; out: number; err: number; last: number; readonly failed: string[] };

const read = (path: string): string => (existsSync(path) ? readFileSync(path, "latin1") : "");
const lastMessage = (text: string): string => text.slice(text.lastIndexOf("error: ")).split("\n")[0]!;

function expected(name: string): { readonly out: string; readonly err: string } {
  if (options.expected === undefined) return { out: read(join(lang, `${name}.exp.xml`)) || read(join(lang, `${name}.exp`)), err: read(join(lang, `${name}.err.exp`)) };
  const place = (text: string): string => (options.here === undefined ? text : text.replaceAll(options.here, HERE));
  return { out: place(read(join(options.expected, `${name}.out`))), err: place(read(join(options.expected, `${name}.err`))) };
}

/** The flags of a case, as far as the suite uses them. */
function readFlags(name: string): Partial<EvaluateRequest> & { readonly isEval: boolean } {
  const words = read(join(lang, `${name}.flags`)).replace(/#.*/g, "").split(/\s+/).filter((word) => word !== "");
  const settings: { -readonly [K in keyof NixSettings]: NixSettings[K] } = {};
  const given: Record<string, { readonly expression: string } | { readonly string: string }> = {};
  const searchPath: { prefix: string; path: string }[] = [];
  let attribute: string[] = [];
  let showTrace = true;
  let isEval = words.length === 0;
  for (let i = 0; i < words.length; i++) {
    const next = (): string => words[++i]!;
    switch (words[i]) {
      case "--eval": isEval = true; break;
      case "--no-show-trace": showTrace = false; break;
      case "--lint-url-literals": settings.lintUrlLiterals = next() as LintLevel; break;
      case "--lint-short-path-literals": settings.lintShortPathLiterals = next() as LintLevel; break;
      case "--lint-absolute-path-literals": settings.lintAbsolutePathLiterals = next() as LintLevel; break;
      case "--max-call-depth": settings.maxCallDepth = Number(next()); break;
      case "--extra-experimental-features": {
        const feature = next();
        if (feature === "parse-toml-timestamps") settings.tomlTimestamps = true;
        if (feature === "pipe-operators") settings.pipeOperators = true;
        break;
      }
      case "--arg": given[next()] = { expression: next() }; break;
      case "--argstr": given[next()] = { string: next() }; break;
      case "-A": attribute = next().split("."); break;
      case "-I": searchPath.push(searchEntry(next())); break;
      default:
    }
  }
  searchPath.push(...(name.startsWith("eval-okay-") ? ["lang/dir3", "lang/dir4"].map(searchEntry) : []));
  return { settings, arguments: given, attribute, searchPath, showTrace, isEval };
}

function searchEntry(text: string): { prefix: string; path: string } {
  const equals = text.indexOf("=");
  const path = text.slice(equals + 1);
  return { prefix: equals < 0 ? "" : text.slice(0, equals), path: path.startsWith("/") ? path : `${HERE}/${path}` };
}

await using evaluating = await startEvaluating();

async function run(name: string): Promise<Outcome> {
  const isParse = name.startsWith("parse-");
  const isOkay = /^(parse|eval)-okay-/.test(name);
  const isXml = existsSync(join(lang, `${name}.exp.xml`));
  const { isEval: _, ...flags } = readFlags(name);
  const answer = await evaluating.evaluate({
    text: read(join(lang, `${name}.nix`)),
    file: isParse ? Buffer.from("«stdin»").toString("latin1") : `${HERE}/lang/${name}.nix`,
    basePath: isParse ? HERE : `${HERE}/lang`,
    mode: isParse ? "parse" : isXml ? "xml" : "strict",
    map: [HERE, suite],
    home: isOkay && !isParse && !isXml ? "/fake-home" : "/root",
    environment: { TEST_VAR: "foo" },
    ...flags,
  });
  const messages = answer.messages.map((message) => `${message}\n`).join("");
  const bytes = (text: string): string => Buffer.from(text).toString("latin1");
  return answer.ok ? { ok: true, out: `${answer.out}\n`, err: messages } : { ok: false, out: "", err: messages + (answer.report ?? bytes(answer.out)) + "\n" };
}

const counts = new Map<string, Count>();
for (const name of readdirSync(lang).filter((file) => file.endsWith(".nix")).map((file) => file.slice(0, -4)).sort()) {
  const kind = /^(?:parse|eval)-(?:okay|fail)/.exec(name)?.[0];
  if (kind === undefined || existsSync(join(lang, `${name}.exp-disabled`))) continue;
  if (options.show !== undefined && !options.show.some((shown) => name.includes(shown))) continue;
  const isOkay = kind.endsWith("okay");
  const wanted = expected(name);
  const got = await run(name);
  let count = counts.get(kind);
  if (count === undefined) counts.set(kind, (count = { cases: 0, ended: 0, out: 0, err: 0, last: 0, failed: [] }));
  count.cases++;
  if (got.ok === isOkay) count.ended++;
  const sameOut = !isOkay || got.out === wanted.out;
  const sameErr = got.err === wanted.err;
  const sameLast = lastMessage(got.err) === lastMessage(wanted.err);
  if (sameOut) count.out++;
  if (sameErr) count.err++;
  if (sameLast) count.last++;
  if (!sameOut || !sameErr) {
    count.failed.push(`${name}${sameOut ? "" : " value"}${sameErr ? "" : sameLast ? " trace" : " message"}`);
    if (options.show !== undefined) {
      const text = (outcome: { out: string; err: string }): string => Buffer.from(`${isOkay ? outcome.out : ""}${outcome.err}`, "latin1").toString();
      console.log(`──── ${name}: expected\n${text(wanted)}──── got\n${text(got)}`);
    }
  }
}
for (const [kind, { cases, ended, out, err, last, failed }] of counts) {
  console.log(`${kind}: ${cases} cases, ${ended} ended as they should, ${out} the same value, ${last} the same last message, ${err} the same standard error`);
  if (options.failed === true) for (const one of failed) console.log(`  ${one}`);
}
