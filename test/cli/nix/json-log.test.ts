import assert from "node:assert/strict";
import { after, test } from "node:test";
import { shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
type LogRecord = { readonly action: string; readonly [field: string]: unknown };
const records = (stderr: string): LogRecord[] =>
  stderr.split("\n").filter((line) => line !== "").map((line) => {
    assert.ok(line.startsWith("@nix "), `not a record: ${line}`);
    return JSON.parse(line.slice(5)) as LogRecord;
  });
const run = (...args: readonly string[]): { readonly code: number | null; readonly stdout: string; readonly log: LogRecord[] } => {
  const { code, stdout, stderr } = trial.run(...args, "--log-format", "internal-json");
  return { code, stdout, log: records(stderr) };
};

test("tells errors as records, with the place and the message alone, as the reference does", () => {
  assert.deepEqual(run("instantiate", "--eval", "-E", "1 +").log, [
    {
      action: "msg", level: 0, line: 1, column: 4, file: "«string»:1:4",
      msg: "\x1b[31;1merror:\x1b[0m syntax error, unexpected end of file\n       \x1b[34;1mat \x1b[35;1m«string»:1:4\x1b[0m:\n            1| 1 +\n             |    \x1b[31;1m^\x1b[0m",
      raw_msg: "syntax error, unexpected end of file",
    },
  ]);
  const [thrown] = run("instantiate", "--eval", "-E", 'throw "über\nzwei"').log;
  assert.deepEqual([thrown!["raw_msg"], thrown!["line"], thrown!["file"]], ["über\nzwei", null, null]);
});

test("tells traces and warnings as records, and values on standard output", () => {
  const { stdout, log } = run("instantiate", "--eval", "--option", "no-such", "x", "-E", 'builtins.trace 1 (builtins.warn "w" 2)');
  assert.equal(stdout, "2\n");
  assert.deepEqual(log, [
    { action: "msg", level: 1, msg: "\x1b[35;1mwarning:\x1b[0m unknown setting 'no-such'" },
    { action: "msg", level: 0, msg: "trace: 1" },
    { action: "msg", level: 1, msg: "\x1b[35;1mevaluation warning:\x1b[0m w", raw_msg: "w", line: 0, column: 0, file: "«none»:0" },
  ]);
});

test("tells a build from its beginning to its end, with each line of its output", () => {
  const { code, stdout, log } = run("build", "--no-out-link", "-E", shellDerivation("told", "echo one; echo two; echo x > $out"));
  assert.equal(code, 0);
  assert.match(stdout, /-told\n$/);
  const start = log.find(({ action, type }) => action === "start" && type === 105)!;
  assert.match(String((start["fields"] as unknown[])[0]), /-told\.drv$/);
  assert.deepEqual((start["fields"] as unknown[]).slice(1), ["", 1, 1]);
  const of = log.filter(({ id }) => id === start["id"]);
  assert.deepEqual(of.filter(({ type }) => type === 101).map(({ fields }) => fields), [["one"], ["two"]]);
  assert.equal(of.at(-1)!.action, "stop");
  const failed = run("build", "--no-out-link", "-E", shellDerivation("fails", "exit 3"));
  assert.equal(failed.code, 100);
  assert.match(String(failed.log.at(-1)!["raw_msg"]), /^Cannot build '.*-fails\.drv/);
});
