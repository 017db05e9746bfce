/** Who was handed a folder of a build, or may write into one, exchanges its parts while tsos walks it. */
import assert from "node:assert/strict";
import fs, { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { canonicalisePath } from "../../core/store/canonicalise.ts";
import { removeTree } from "../../core/store/file-tree.ts";

let root: string;
/** Not of the tree: what must stay as it is. */
let outside: string;
let tree: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tsos-advisories-"));
  outside = join(root, "outside");
  tree = join(root, "tree");
  mkdirSync(join(outside, "inner"), { recursive: true });
  for (const name of ["file", "inner/file"]) writeFileSync(join(outside, name), "precious", { mode: 0o600 });
  mkdirSync(join(tree, "sub/inner"), { recursive: true });
  for (const name of ["file", "sub/file", "sub/inner/file"]) writeFileSync(join(tree, name), "");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

type Attack = { restore(): void; readonly happened: boolean };

/** Does `attack` right after this process's `count`th call of `name` for a path that ends in `end`. */
function interrupt(name: "lstatSync" | "readdirSync", end: string, count: number, attack: () => void): Attack {
  const holder = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const original = holder[name]!;
  let seen = 0;
  let happened = false;
  holder[name] = (...args) => {
    const result = original(...args);
    const place = String(args[0]);
    if (place.endsWith(end) || (name === "readdirSync" && place.startsWith("/proc/self/fd/") && fs.realpathSync(place).endsWith(end))) {
      if (++seen === count && !happened) {
        happened = true;
        attack();
      }
    }
    return result;
  };
  syncBuiltinESMExports();
  return {
    get happened() {
      return happened;
    },
    restore() {
      holder[name] = original;
      syncBuiltinESMExports();
    },
  };
}

function exchangeForLink(path: string, target: string): void {
  renameSync(path, join(root, "taken-away"));
  symlinkSync(target, path);
}

function assertPrecious(): void {
  for (const name of ["file", "inner/file"]) assert.equal(lstatSync(join(outside, name)).mode & 0o7777, 0o600, name);
  assert.deepEqual(readdirSync(outside).sort(), ["file", "inner"]);
}

describe("CVE-2025-46415: what is removed while somebody exchanges its folders", () => {
  for (const [what, call, end] of [
    ["a folder becomes a link after it was looked at", "lstatSync", "/sub"],
    ["a folder becomes a link after it was listed", "readdirSync", "/sub"],
    ["a deeper folder becomes a link after it was looked at", "lstatSync", "/inner"],
    ["a folder on the way becomes a link while a deeper one is emptied", "readdirSync", "/sub/inner"],
  ] as const) {
    test(what, async () => {
      const isDeep = end === "/inner";
      const attack = interrupt(call, end, 1, () => exchangeForLink(join(tree, isDeep ? "sub/inner" : "sub"), isDeep ? join(outside, "inner") : outside));
      try {
        await removeTree(tree).catch((error: unknown) => assert.match(String((error as { code?: unknown }).code), /^(store\.tree-changed|ENOTDIR|ENOTEMPTY)$/));
      } finally {
        attack.restore();
      }
      assert.equal(attack.happened, true);
      assertPrecious();
    });
  }

  test("folders nested deeper than any path can be are removed", async () => {
    let folder = tree;
    process.chdir(tree);
    try {
      for (let n = 0; n < 1500; n++) {
        mkdirSync("deep");
        process.chdir("deep");
      }
    } finally {
      process.chdir(root);
    }
    await removeTree((folder = tree));
    assert.equal(existsSync(folder), false);
  });
});

/** The tree is made canonical, or is found to have changed; what is outside of it stays. */
async function canonicaliseDuring(attack: Attack): Promise<void> {
  try {
    await canonicalisePath(tree).catch((error: unknown) => assert.equal((error as { code?: unknown }).code, "store.tree-changed"));
  } finally {
    attack.restore();
  }
  assert.equal(attack.happened, true);
  assertPrecious();
}

describe("CVE-2025-52993: what is made canonical while somebody exchanges its parts", () => {
  test("a file becomes a link after it was looked at", async () => {
    const file = join(tree, "file");
    chmodSync(file, 0o4755);
    rmSync(join(tree, "sub"), { recursive: true });
    await canonicaliseDuring(interrupt("lstatSync", "/file", 1, () => exchangeForLink(file, join(outside, "file"))));
  });

  test("a folder becomes a link after it was listed", async () => {
    rmSync(join(tree, "file"));
    const owner = lstatSync(join(outside, "file"));
    await canonicaliseDuring(interrupt("readdirSync", "/sub", 1, () => exchangeForLink(join(tree, "sub"), outside)));
    const after = lstatSync(join(outside, "file"));
    assert.deepEqual([after.uid, after.mtimeMs], [owner.uid, owner.mtimeMs]);
  });
});
