/** `tsos nix …` prints what the reference (2.34.8) printed of the same command lines; `cli/dev/command-lines.ts` asks it again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { tsosProgram } from "../../tsos-process.ts";
import { FILES, LINES, type CommandLine, type Outcome } from "./lines.ts";

const expected = JSON.parse(readFileSync(join(import.meta.dirname, "expected.json"), "utf8")) as Readonly<Record<string, Outcome>>;
const state = mkdtempSync(join(tmpdir(), "tsos-lines-"));
after(() => rmSync(state, { recursive: true, force: true, maxRetries: 3 }));
const folder = join(state, "folder");
for (const [name, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
mkdirSync(join(state, "conf"));
writeFileSync(join(state, "conf/nix.conf"), "experimental-features = nix-command flakes\nbuild-users-group =\nsandbox = false\nsubstituters =\n");

function run({ command, args, input = "", env = {} }: CommandLine): Promise<Outcome> {
  const place = (text: string): string => text.replaceAll("FOLDER", folder);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsosProgram, "nix", command, ...args.map(place)], {
      cwd: folder,
      env: {
        PATH: process.env["PATH"], HOME: "/root", NIX_PATH: "", LC_ALL: "C", NIX_CONF_DIR: join(state, "conf"), NIX_REMOTE: `local?root=${join(state, "root")}`, XDG_CONFIG_HOME: join(state, "config"),
        TSOS_CACHE_DIR: join(state, "cache"), TSOS_STATE_DIR: join(state, "state"), ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, place(value)])),
      },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout: stdout.replaceAll(folder, "FOLDER"), stderr: stderr.replaceAll(folder, "FOLDER") }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** The name of the program is ours; what succeeds may have been built there before. */
function plain({ code, stdout, stderr }: Outcome): Outcome {
  if (code === 0) return { code, stdout, stderr: stderr.replace(/^(this derivation|these \d+ derivations) will be built:\n( .*\n)*|^building '.*'\.\.\.\n/gm, "") };
  return { code, stdout, stderr: stderr.replace(/Try '[^']*--help'/g, "Try 'COMMAND --help'") };
}

for (const line of LINES) {
  const shown = [...Object.entries(line.env ?? {}).map(([name, value]) => `${name}=${value}`), line.command, ...line.args].join(" ");
  test(`tsos nix ${shown}`, async () => {
    const wanted = expected[JSON.stringify(line)];
    assert.ok(wanted, "the reference was not asked: run cli/dev/command-lines.ts");
    assert.deepEqual(plain(await run(line)), plain(wanted));
  });
}
