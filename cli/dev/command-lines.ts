import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FILES, LINES, type CommandLine, type Outcome } from "../../test/cli/nix/command-lines/lines.ts";

// node --import tsx cli/dev/command-lines.ts COMMAND…
// Writes what the reference prints of the command lines of `test/cli/nix/command-lines`. COMMAND runs a shell of a
// machine that has its commands (`sh`, or something like `reference.sh run sh`).

const FOLDER = "/tmp/tsos-command-lines";
const MARK = "@@tsos-command-lines@@";
const file = resolve(import.meta.dirname, "../../test/cli/nix/command-lines/expected.json");
const quote = (text: string): string => `'${text.replaceAll("FOLDER", FOLDER).replaceAll("'", "'\\''")}'`;
const encode = (text: string): string => Buffer.from(text).toString("base64");

function run({ command, args, input = "", env = {} }: CommandLine, index: number): string {
  const program = command === "eval" ? "nix eval" : `nix-${command}`;
  const settings = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`).join(" ");
  return `printf %s '${encode(input)}' | base64 -d | env ${settings} ${program} ${args.map(quote).join(" ")} > ../out 2> ../err; echo "${MARK} ${index} $?"; base64 -w0 ../out; echo; base64 -w0 ../err; echo`;
}

const script = [
  `rm -rf ${FOLDER}; mkdir -p ${FOLDER}; cd ${FOLDER}; export LC_ALL=C`,
  ...Object.entries(FILES).map(([name, text]) => `mkdir -p "$(dirname ${name})"; printf %s '${encode(text)}' | base64 -d > ${name}`),
  ...LINES.map(run),
  `cd /; rm -rf ${FOLDER}`,
].join("\n");
const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  console.error("command-lines: name the command that runs a shell beside the reference");
  process.exit(2);
}
const { stdout, status } = spawnSync(program, args, { input: script, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["pipe", "pipe", "inherit"] });
if (status !== 0) process.exit(1);
const decode = (text: string): string => Buffer.from(text.trim(), "base64").toString("utf8").replaceAll(FOLDER, "FOLDER");
const rows = stdout.split(`${MARK} `).slice(1).map((answer): readonly [string, Outcome] => {
  const [head, out, err] = answer.split("\n") as [string, string, string];
  const [index, code] = head.split(" ").map(Number) as [number, number];
  return [JSON.stringify(LINES[index]), { code, stdout: decode(out), stderr: decode(err) }];
});
writeFileSync(file, `${JSON.stringify(Object.fromEntries(rows), null, 1)}\n`);
console.log(`${rows.length} command lines: ${join("test/cli/nix/command-lines", "expected.json")}`);
