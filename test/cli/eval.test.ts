import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";

const program = resolve(import.meta.dirname, "../../bin/tsos.js");
const folder = mkdtempSync(join(tmpdir(), "tsos-eval-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a branch of the tree is printed with all of its options", () => {
  writeFileSync(join(folder, "system.config.ts"), 'import { defineSystem } from "tsos";\nexport default defineSystem({ config: { networking: { firewall: { allowedTCPPorts: [80] } }, system: { stateVersion: "26.11" } } });\n');
  const env = { PATH: process.env["PATH"], HOME: folder, TSOS_CACHE_DIR: join(folder, "cache"), TSOS_STATE_DIR: join(folder, "state") };
  const printed: unknown = JSON.parse(execFileSync(process.execPath, [program, "eval", "networking.firewall"], { cwd: folder, env, encoding: "utf8", timeout: 60_000 }));
  assert.ok(typeof printed === "object" && printed !== null && "enable" in printed && "allowedTCPPorts" in printed);
  assert.deepEqual(printed.allowedTCPPorts, [80]);
});
