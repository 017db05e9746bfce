/** Streams and records of `nix-store`, handed to and taken from the machine's own Nix where there is one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { tsosProgram } from "../tsos-process.ts";
import { noReference, shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
/** Another store with the same name, so that the same paths are at home in it. */
const elsewhere = join(trial.folder, "elsewhere");
const other = ["--store", `local?root=${elsewhere}`];

writeFileSync(join(trial.folder, "default.nix"), `let lib = ${shellDerivation("lib", "echo lib > $out")}; in ${shellDerivation("top-1", "echo ${lib} > $out", 'src = builtins.toFile "t" "x";')}`);
const out = trial.run("build").stdout.trim();
const drv = trial.run("instantiate").stdout.trim();
const closure = trial.run("store", "-qR", out).stdout.trim().split("\n");

/** Pipes one command into another; both are words of a shell. */
function pipe(from: readonly string[], into: readonly string[], env: Readonly<Record<string, string>> = {}): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const quote = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${quote(from)} | ${quote(into)}`], { cwd: trial.folder, env: { ...trial.env, ...env }, encoding: "utf8", timeout: 120_000 });
  return { code: status, stdout, stderr };
}
const ours = (...args: readonly string[]): string[] => [process.execPath, tsosProgram, "nix", "store", ...args];

test("what is exported is imported into another store, its references first", () => {
  const { code, stdout, stderr } = pipe(ours("--export", ...closure), ours(...other, "--import"));
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n").sort(), [...closure].sort());
  assert.equal(trial.run("store", ...other, "--verify-path", ...closure).code, 0);
  assert.equal(trial.run("store", ...other, "-qR", out).stdout, trial.run("store", "-qR", out).stdout);
});

test("streams of exported paths are those of the machine's own Nix", { skip: noReference }, () => {
  const stream = (command: readonly string[]) => spawnSync(command[0]!, [...command.slice(1), "--export", ...closure], { cwd: trial.folder, env: trial.env });
  assert.deepEqual(stream(ours()).stdout, stream(["nix-store"]).stdout);
  const third = ["--store", `local?root=${join(trial.folder, "third")}`];
  assert.equal(pipe(["nix-store", "--export", ...closure], ours(...third, "--import")).code, 0);
  assert.equal(trial.run("store", ...third, "--verify-path", ...closure).code, 0);
});

test("a stream that is cut short or damaged is refused", () => {
  const { stdout } = spawnSync(process.execPath, ours("--export", out).slice(1), { cwd: trial.folder, env: trial.env });
  for (const input of [stdout.subarray(0, stdout.length - 30), Buffer.from("no stream at all"), Buffer.concat([stdout.subarray(0, 8), Buffer.alloc(40, 255)])]) {
    const { status, stderr } = spawnSync(process.execPath, ours("--import").slice(1), { cwd: trial.folder, env: trial.env, input, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /^error: /m);
  }
});

test("the database is written down and read again", () => {
  const dump = trial.run("store", "--dump-db").stdout;
  assert.equal(trial.runWith({ input: dump }, "store", "--load-db").code, 0);
  assert.equal(trial.run("store", "--dump-db").stdout, dump);
  assert.equal(trial.run("store", "--dump-db", out).stdout.split("\n")[0], out);
  // Into a database that knows nothing yet, about the same files.
  const fresh = { NIX_STATE_DIR: join(trial.folder, "fresh") };
  assert.equal(trial.runWith({ input: dump, env: fresh }, "store", "--load-db").code, 0);
  assert.equal(trial.runWith({ env: fresh }, "store", "--dump-db").stdout, dump);
  assert.equal(trial.runWith({ env: fresh }, "store", "--verify", "--check-contents").code, 0);
  assert.equal(trial.runWith({ input: `${out}\nnothing\n` }, "store", "--load-db").code, 1);
});

test("records, graphs and roots are printed as the machine's own Nix prints them", { skip: noReference }, () => {
  for (const args of [["--dump-db"], ["--dump-db", out], ["-q", "--graph", out], ["-q", "--graph", drv], ["--query", "--graph", drv, out]]) {
    assert.equal(trial.run("store", ...args).stdout, trial.reference("nix-store", ...args).stdout, args.join(" "));
  }
  // 2.8 calls the size an "int", later ones a "long".
  assert.equal(trial.run("store", "-q", "--graphml", drv).stdout.replace("'long'", "'int'"), trial.reference("nix-store", "-q", "--graphml", drv).stdout.replace("'long'", "'int'"));
});

test("a path that was put there by hand becomes valid", () => {
  const path = join(trial.env["NIX_STORE_DIR"]!, `${"0".repeat(32)}-by-hand`);
  writeFileSync(path, "by hand");
  chmodSync(path, 0o600);
  const record = `${path}\n\n1\n${out}\n`;
  assert.equal(trial.runWith({ input: record }, "store", "--register-validity").code, 0);
  assert.equal(trial.run("store", "-q", "--references", path).stdout, `${out}\n`);
  assert.equal(trial.run("store", "--verify-path", path).code, 0);
});

test("makes a pair of keys that sign and verify", () => {
  assert.equal(trial.run("store", "--generate-binary-cache-key", "k-1", "secret", "public").code, 0);
  const [secret, open] = ["secret", "public"].map((name) => readFileSync(join(trial.folder, name), "utf8")) as [string, string];
  assert.match(secret, /^k-1:[A-Za-z0-9+/]{86}==$/);
  assert.equal(Buffer.from(secret.slice(4), "base64").subarray(32).toString("base64"), open.slice(4));
  assert.equal(trial.run("store", "--generate-binary-cache-key", "k-1").code, 1);
});

test("a Nix of elsewhere copies over ssh from and to what is served here", { skip: noReference }, () => {
  const bin = join(trial.folder, "bin");
  mkdirSync(bin);
  // Its last argument is what the other machine is to run.
  writeFileSync(join(bin, "ssh"), '#!/bin/sh\nfor word; do last=$word; done\nexec /bin/sh -c "$last"\n');
  writeFileSync(join(bin, "served"), `#!/bin/sh\nexec ${process.execPath} ${tsosProgram} nix store "$@"\n`);
  for (const name of ["ssh", "served"]) chmodSync(join(bin, name), 0o755);
  const served = `ssh://nowhere?remote-program=${join(bin, "served")}`;
  const run = (...args: readonly string[]) => {
    const env = { ...trial.env, PATH: `${bin}:${trial.env["PATH"]!}`, NIX_CONFIG: `${trial.env["NIX_CONFIG"]!}\nexperimental-features = nix-command` };
    return spawnSync("nix", args, { cwd: trial.folder, env, encoding: "utf8", timeout: 120_000 });
  };
  const from = join(trial.folder, "from");
  const copied = run("copy", "--no-check-sigs", "--from", served, "--to", `local?root=${from}`, out);
  assert.equal(copied.status, 0, copied.stderr);
  assert.equal(trial.run("store", "--store", `local?root=${from}`, "--verify-path", ...closure).code, 0);
  const info = run("path-info", "--store", served, "-r", "--json", out);
  assert.deepEqual((JSON.parse(info.stdout) as { path: string }[]).map(({ path }) => path).sort(), [...closure].sort(), info.stderr);
  // The other way, into a store of its own that the program is told.
  const far = join(trial.folder, "far");
  const sent = run("copy", "--no-check-sigs", "--to", `${served}&remote-store=${encodeURIComponent(`local?root=${far}`)}`, out);
  assert.equal(sent.status, 0, sent.stderr);
  assert.equal(trial.run("store", "--store", `local?root=${far}`, "--verify-path", ...closure).code, 0);
});

test("who is served without --write adds and builds nothing", () => {
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, ours("--serve").slice(1), { cwd: trial.folder, env: trial.env, input: Buffer.concat([word(0x390c9deb), word(0x207), word(9)]) });
  assert.equal(status, 1);
  assert.match(stderr.toString(), /importing paths is not allowed/);
  assert.deepEqual(stdout.subarray(0, 16), Buffer.concat([word(0x5452eecb), word(0x207)]));
});
