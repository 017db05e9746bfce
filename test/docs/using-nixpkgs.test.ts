/** Every example of docs/using-nixpkgs.md type-checks and evaluates. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readBlocks } from "./blocks.ts";
import { openDocsProject, withLocalTree } from "./docs-project.ts";

/** What each example's value must hold. */
const EXPECTED: readonly RegExp[] = [
  /-go-1\.0[\s\S]*-gopls-1\.0[\s\S]*-hello-1\.0\/bin\/hello/,
  /-vscode-1\.0[\s\S]*-hallo-1\.0/,
  /-python3-env[\s\S]*-ffmpeg-1\.0[\s\S]*-hello-quiet-1\.0[\s\S]*-tools[\s\S]*"a b"/,
  /-htop-1\.0/,
  /-git-1\.0[\s\S]*"ab"/,
];

const blocks = readBlocks("using-nixpkgs.md");

test("each example is expected to give something", () => {
  assert.equal(blocks.length, EXPECTED.length);
});

blocks.forEach(({ text, heading }, index) => {
  test(`the example of "${heading}" type-checks and evaluates`, async () => {
    using project = openDocsProject();
    const name = /^\/\/ (\S+)/.exec(text)![1]!;
    project.write({ [name]: withLocalTree(text) });
    const checked = await project.run("check");
    assert.equal(checked.code, 0, checked.stderr);
    const { code, stdout, stderr } = name === "shell.config.ts" ? await project.run("eval", "--json") : await project.run("eval", "environment", "--json");
    assert.equal(code, 0, stderr);
    assert.match(stdout, EXPECTED[index]!);
  });
});
