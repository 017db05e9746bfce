import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readCase, readExpectation, type LangCase } from "../../test/lang/read-case.ts";

// node --import tsx cli/dev/lang-cases.ts [--check] [--only PART]… -- COMMAND…
// Writes what the reference makes of our cases of the language. COMMAND runs a shell of a machine that has its
// `nix-instantiate` (`sh`, or something like `reference.sh run sh`): the script comes to its standard input and leaves
// nothing behind but /lang. A case whose outcome is not the one in its name is refused; --check writes nothing.

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean" }, only: { type: "string", multiple: true } },
});
const folder = resolve(import.meta.dirname, "../../test/lang/cases");
if (positionals.length === 0) {
  console.error("lang-cases: name the command that runs a shell beside the reference, after --");
  process.exit(2);
}

const names = readdirSync(folder).filter((file) => file.endsWith(".nix")).map((file) => file.slice(0, -4)).sort();
const cases = names.map((name) => readCase(folder, name)).filter(({ name }) => options.only === undefined || options.only.some((part) => name.includes(part)));

/** One shell for all: each answer between lines that no case prints. */
const MARK = "@@tsos-lang-cases@@";
const script = ["rm -rf /lang; mkdir -p /lang; cd /lang; export LC_ALL=C", ...cases.map(writeFile), ...cases.map(runOne)].join("\n");

function writeFile({ name, text }: LangCase): string {
  return `printf %s '${Buffer.from(text, "latin1").toString("base64")}' | base64 -d > ${name}.nix`;
}

function runOne({ name, options: given, isParse }: LangCase): string {
  const lazy = given.includes("--lazy");
  const mode = isParse ? "--parse" : lazy ? "--eval" : "--eval --strict";
  return `echo '${MARK} ${name}'; nix-instantiate ${mode} --show-trace ${given.filter((option) => option !== "--lazy").join(" ")} /lang/${name}.nix > out 2> err; echo "status $?"; base64 -w0 out; echo; base64 -w0 err; echo`;
}

const [command, ...args] = positionals as [string, ...string[]];
const { stdout, status, error } = spawnSync(command, args, { input: script, encoding: "latin1", maxBuffer: 1 << 30, stdio: ["pipe", "pipe", "inherit"] });
if (error !== undefined || status !== 0) {
  console.error(`lang-cases: "${positionals.join(" ")}" did not run: ${error?.message ?? `status ${status}`}`);
  process.exit(1);
}
let wrong = 0;
for (const answer of stdout.split(`${MARK} `).slice(1)) {
  const [name, result, out, err] = answer.split("\n").map((line) => line.trim()) as [string, string, string, string];
  const decode = (text: string): string => Buffer.from(text, "base64").toString("latin1").trimEnd();
  const one = cases.find((candidate) => candidate.name === name)!;
  const isOkay = result === "status 0";
  if (isOkay !== one.isOkay) {
    console.error(`${name}: the reference ${isOkay ? "takes" : "refuses"} it\n${decode(err)}`);
    wrong++;
    continue;
  }
  for (const [suffix, text] of [["exp", isOkay ? decode(out) : ""], ["err.exp", decode(err)]] as const) {
    const file = join(folder, `${name}.${suffix}`);
    if (readExpectation(folder, name, suffix) === text) continue;
    if (options.check === true) {
      console.error(`${name}.${suffix} is not what the reference prints`);
      wrong++;
    } else if (text !== "") writeFileSync(file, `${text}\n`, "latin1");
    else if (existsSync(file)) rmSync(file);
  }
}
console.log(`${cases.length} cases, ${wrong} wrong`);
if (wrong > 0) process.exitCode = 1;
