import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DEFAULT_PRUNE } from "../../../../../core/build/builtin/archive/unpack-deb-archive.ts";
import type { BuiltinTask } from "../../../../../core/build/builtin/worker/builtin-task.ts";
import { createWorkerPool } from "../../../../../core/build/builtin/worker/worker-pool.ts";
import { makeDeb } from "../archives.ts";
import { testFolder } from "../run-builtin.ts";

const entry = new URL("../../../../../core/build/builtin/unpack-worker.ts", import.meta.url);

test("runs more tasks than it has threads, and goes on after failed and aborted ones", async (context) => {
  const folder = testFolder(context);
  const source = join(folder, "demo.deb");
  writeFileSync(source, makeDeb([{ path: "./usr/x", contents: "x" }]));
  const pool = createWorkerPool({ entry, threads: 2 });
  const task = (name: string, from = source): BuiltinTask => ({ kind: "unpack-deb", source: from, target: join(folder, name), prune: DEFAULT_PRUNE });
  await Promise.all(["a", "b", "c", "d", "e"].map((name) => pool.run(task(name))));
  for (const name of ["a", "b", "c", "d", "e"]) assert(existsSync(join(folder, name, "usr/x")));

  await assert.rejects(pool.run(task("a")), /EEXIST/);
  const empty = join(folder, "empty");
  writeFileSync(empty, "");
  await assert.rejects(pool.run(task("f", empty)), { name: "TsosError", code: "archive.invalid" });

  const controller = new AbortController();
  const aborted = ["g", "h", "i"].map((name) => pool.run(task(name), controller.signal));
  controller.abort(new Error("enough"));
  await Promise.all(aborted.map((run) => assert.rejects(run, /enough/)));
  await assert.rejects(pool.run(task("j"), controller.signal), /enough/);
  await pool.run(task("k"));
  assert(existsSync(join(folder, "k/usr/x")));
});
