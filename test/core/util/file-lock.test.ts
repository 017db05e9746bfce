import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { lockFile, tryLockFile } from "../../../core/util/file-lock.ts";

function lockPath(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "tsos-lock-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, "lock");
}

test("an exclusive lock excludes all others until it is released", async (t) => {
  const file = lockPath(t);
  const lock = await lockFile(file);
  assert.equal(tryLockFile(file), undefined);
  assert.equal(tryLockFile(file, { mode: "shared" }), undefined);
  lock.release();
  tryLockFile(file)!.release();
});

test("shared locks are held together and exclude an exclusive one", async (t) => {
  const file = lockPath(t);
  using _first = await lockFile(file, { mode: "shared" });
  const second = tryLockFile(file, { mode: "shared" });
  assert.ok(second);
  assert.equal(tryLockFile(file), undefined);
  second.release();
});

test("waiting lets the event loop run and ends when the lock is free", async (t) => {
  const file = lockPath(t);
  const first = await lockFile(file);
  let waited = 0;
  setTimeout(() => first.release(), 50);
  const second = await lockFile(file, { onWait: () => waited++ });
  assert.equal(waited, 1);
  second.release();
});

test("waiting ends with the signal's reason", async (t) => {
  const file = lockPath(t);
  using _first = await lockFile(file);
  const reason = new Error("enough");
  await assert.rejects(lockFile(file, { signal: AbortSignal.timeout(30) }), { name: "TimeoutError" });
  const controller = new AbortController();
  controller.abort(reason);
  await assert.rejects(lockFile(file, { signal: controller.signal }), reason);
});

test("a killed process holds no lock", async (t) => {
  const file = lockPath(t);
  const code = `const { lockFile } = await import(${JSON.stringify(fileURLToPath(new URL("../../../core/util/file-lock.ts", import.meta.url)))});
    await lockFile(${JSON.stringify(file)}); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  assert.equal(tryLockFile(file), undefined);
  child.kill("SIGKILL");
  await once(child, "exit");
  const lock = tryLockFile(file);
  assert.ok(lock);
  lock.release();
});
