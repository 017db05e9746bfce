import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTreeGlobs, parseTreePath, relativeTarget, resolveLink } from "../../../../core/fetch/archive/tree-path.ts";

test("globs hold within a name, across names, for choices and for all below a folder", () => {
  const cases: readonly (readonly [glob: string, yes: readonly string[], no: readonly string[]])[] = [
    ["usr/share/doc", ["usr/share/doc", "usr/share/doc/a/b"], ["usr/share/docs", "share/doc"]],
    ["usr/*.so", ["usr/a.so"], ["usr/a/b.so", "usr/axso"]],
    ["**/*.a", ["x.a", "usr/lib/x.a"], ["usr/lib/x.o"]],
    ["usr/{a,b+}/?", ["usr/a/x", "usr/b+/y"], ["usr/c/x", "usr/bb/x", "usr/a/xx"]],
    ["var/**", ["var/a", "var/a/b"], ["var", "variable"]],
  ];
  for (const [glob, yes, no] of cases) {
    const matches = compileTreeGlobs([glob, "never"]);
    for (const path of yes) assert(matches(path), `${glob} ${path}`);
    for (const path of no) assert(!matches(path), `${glob} ${path}`);
  }
  assert(!compileTreeGlobs([])("anything"));
});

test("paths lose ./ and slashes at their end, and stay inside", () => {
  assert.equal(parseTreePath("./usr//bin/"), "usr/bin");
  assert.equal(parseTreePath("./"), "");
  for (const path of ["/usr", "a/../b", "..", "a\0b"]) assert.throws(() => parseTreePath(path), { code: "archive.unsafe-path" });
});

test("links resolve from their own folder or from the root", () => {
  assert.equal(resolveLink("usr/bin/vi", "../share/vi"), "usr/share/vi");
  assert.equal(resolveLink("usr/bin/vi", "/etc/../x"), "x");
  assert.equal(resolveLink("usr/bin/vi", "../../../x"), undefined);
  assert.equal(relativeTarget("usr/bin/vi", "usr/share/vi"), "../share/vi");
  assert.equal(relativeTarget("usr/bin/vi", "usr/bin"), ".");
  assert.equal(relativeTarget("a", "b/c"), "b/c");
});
