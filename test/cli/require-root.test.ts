import assert from "node:assert/strict";
import { test } from "node:test";
import { requireRoot } from "../../cli/require-root.ts";

test("who is not root is told so, and how to become it", () => {
  assert.throws(() => requireRoot({ uid: 1000 }, "tsos machine", "boots a container"), { code: "cli.needs-root", message: '"tsos machine" boots a container, so it needs root', hint: "run it with sudo" });
  requireRoot({ uid: 0 }, "tsos machine", "boots a container");
});
