import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, test } from "node:test";
import { openRemoteStore } from "../../../core/daemon/client/open-remote-store.ts";
import { parseStorePath } from "../../../core/store-path/store-path.ts";
import { tsosProgram } from "../tsos-process.ts";
import { noReference, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const storeDir = join(trial.folder, "store");
const addText = (text: string): string => trial.run("instantiate", "--eval", "--raw", "--read-write-mode", "-E", `builtins.toFile "text" "${text}"`).stdout;

test("nix daemon serves the store where its clients look for it, and ends with 130 at an interrupt", async () => {
  const path = addText("served");
  const socket = join(trial.folder, "var/daemon-socket/socket");
  const running = trial.start("daemon");
  for (let waited = 0; !existsSync(socket) && waited < 400; waited++) await sleep(50);
  {
    await using store = openRemoteStore(`unix://${socket}`, { storeDir, environment: {} });
    const info = await store.getPathInfo(parseStorePath(path, storeDir));
    assert.equal(info.narSize, 120);
  }
  if (noReference === false) {
    const theirs = spawnSync("nix-store", ["--query", "--hash", path], { env: { ...trial.env, NIX_REMOTE: "daemon", NIX_DAEMON_SOCKET_PATH: socket }, encoding: "utf8", timeout: 60_000 });
    assert.equal(theirs.stdout, trial.run("store", "--query", "--hash", path).stdout, theirs.stderr);
  }
  process.kill(running.pid, "SIGINT");
  assert.equal((await running.ended).code, 130, running.stderr());
  assert.match(running.stderr(), /^accepted connection from pid \d+, user \S+/);
});

test("nix daemon refuses what it does not know, and trust that the settings do not allow", () => {
  assert.equal(trial.run("daemon", "--no-such").stderr, "error: unrecognised flag '--no-such'\nTry 'tsos nix daemon --help' for more information.\n");
  assert.equal(trial.run("daemon", "x").stderr, "error: unexpected argument 'x'\nTry 'tsos nix daemon --help' for more information.\n");
  assert.match(trial.run("daemon", "--force-trusted").stderr, /^error: experimental Nix feature 'daemon-trust-override' is disabled/);
});

/** A machine that is this one, with another root: what comes after `--` is run by a shell, as ssh does. */
function pretendMachine(root: string): { readonly TSOS_SSH: string; readonly NIX_REMOTE: string } {
  const programs = join(trial.folder, `bin-${root}`);
  const nixStore = `${programs}-nix-store`;
  writeFileSync(nixStore, `#!/bin/sh\nNIX_REMOTE='local?root=${join(trial.folder, root)}' NIX_STORE_DIR=/nix/store exec ${process.execPath} ${tsosProgram} nix store "$@"\n`);
  const ssh = `${programs}-ssh`;
  writeFileSync(ssh, `#!/bin/sh\necho "$@" > ${programs}-words\nwhile [ "$1" != -- ]; do shift; done; shift\nset -- $*\n[ "$1" = nix-store ] && { shift; set -- ${nixStore} "$@"; }\nexec "$@"\n`);
  chmodSync(nixStore, 0o755);
  chmodSync(ssh, 0o755);
  return { TSOS_SSH: ssh, NIX_REMOTE: `local?root=${join(trial.folder, "here")}` };
}

test("nix copy-closure copies what is missing to and from another machine", () => {
  const env = { ...pretendMachine("there"), NIX_STORE_DIR: "/nix/store" };
  const expression = 'builtins.toFile "user" "uses ${builtins.toFile "used" "used"}"';
  const made = trial.runWith({ env }, "instantiate", "--eval", "--raw", "--read-write-mode", "-E", expression).stdout;
  const result = trial.runWith({ env }, "copy-closure", "--to", "me@there", made);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /^copying 2 paths\.\.\.\ncopying path '\S+-used' to 'ssh:\/\/me@there'\.\.\.\ncopying path '\S+-user' to 'ssh:\/\/me@there'\.\.\.\n$/);
  assert.match(readFileSync(join(trial.folder, "there", made), "utf8"), /^uses \/nix\/store\/\S+-used$/);
  assert.deepEqual([trial.runWith({ env }, "copy-closure", "there", made).stderr, trial.runWith({ env }, "copy-closure").stderr], ["", "error: no host name specified\nTry 'tsos nix copy-closure --help' for more information.\n"]);
  const words = (): string => readFileSync(join(trial.folder, "bin-there-words"), "utf8");
  assert.doesNotMatch(words(), / -C /);
  assert.equal(trial.runWith({ env }, "copy-closure", "--xz", "there", made).stderr, "warning: '--xz' is not implemented, falling back to gzip\n");
  assert.match(words(), /-C .*there -- nix-store --serve/);
  const other = { ...env, NIX_REMOTE: `local?root=${join(trial.folder, "third")}` };
  const back = trial.runWith({ env: other }, "copy-closure", "--from", "there", made);
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stderr, /^copying 2 paths\.\.\.\ncopying path '\S+-used' from 'ssh:\/\/there'\.\.\.\n/);
  assert.equal(readFileSync(join(trial.folder, "third", made), "utf8"), readFileSync(join(trial.folder, "here", made), "utf8"));
});
