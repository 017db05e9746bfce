import assert from "node:assert/strict";
import { after, test } from "node:test";
import { join } from "node:path";
import { findDefinitionPlaces } from "../../../core/config/definition-place.ts";
import { makeFolder, writeProject } from "./trial.ts";

const folder = makeFolder();
after(() => folder[Symbol.dispose]());

let count = 0;
/** The text that each place found begins with. */
async function find(source: string, path: string, files: Readonly<Record<string, string>> = {}, line?: number): Promise<readonly string[]> {
  const project = writeProject(join(folder.path, `p${count++}`), { "system.config.ts": source, ...files });
  const places = await findDefinitionPlaces({ module: { file: join(project, "system.config.ts"), line }, path: path.split(" ") });
  const texts: Record<string, string> = { "system.config.ts": source, ...files };
  return places.map(({ name }) => {
    const file = name.file.slice(project.length + 1);
    const at = (texts[file] ?? "").split("\n")[name.line - 1]?.slice(name.column - 1) ?? "";
    return `${file === "system.config.ts" ? "" : `${file}: `}${/^[^\s,}]*/.exec(at)?.[0]}`;
  });
}

test("finds a property of nested objects", async () => {
  assert.deepEqual(await find("export default defineSystem(({ pkgs }) => ({\n a: { b: { c: 1 } },\n}));", "a b c"), ["c:"]);
});

test("finds the deepest property that is written when the rest is computed", async () => {
  assert.deepEqual(await find("export default defineSystem(() => ({ a: { b: make() } }));", "a b c"), ["b:"]);
});

test("finds nothing where all is computed", async () => {
  assert.deepEqual(await find("export default defineSystem(make);", "a b c"), []);
});

test("finds quoted, numeric, dotted and computed names", async () => {
  assert.deepEqual(await find('export default defineSystem({ config: { "a": { 80: { x: 1 } } } });', "a 80 x"), ["x:"]);
  assert.deepEqual(await find('export default defineSystem({ config: { hosts: { "a.example": { root: 1 } } } });', "hosts a.example root"), ["root:"]);
  assert.deepEqual(await find('export default defineSystem({ config: { "a.b": { c: 1 } } });', "a b c"), ["c:"]);
  assert.deepEqual(await find('const name = "b";\nexport default defineSystem({ config: { a: { [name]: { c: 1 } } } });', "a b c"), ["c:"]);
});

test("looks into modifiers, conditions and merges", async () => {
  assert.deepEqual(await find("export default defineSystem(({ lib }) => ({ a: lib.mkIf(true, { b: lib.mkForce(1) }) }));", "a b"), ["b:"]);
  assert.deepEqual(await find("export default defineSystem(({ lib }) => lib.mkMerge([{ a: { b: 1 } }, { a: { c: 1 } }, cond && { a: { b: 2 } }]));", "a b"), ["b:", "b:"]);
  assert.deepEqual(await find("export default defineSystem(({ config }) => (config.x ? { a: 1 } : { a: 2, b: 3 }));", "b"), ["b:"]);
});

test("looks into spreads, constants and functions that return objects", async () => {
  assert.deepEqual(await find("const common = { a: { b: 1 } } as const;\nexport default defineSystem(() => ({ ...common, c: 1 }));", "a b"), ["b:"]);
  assert.deepEqual(await find("function host(root) { if (root) { return { root }; } return { port: 1 }; }\nexport default defineSystem(() => ({ hosts: { x: host(1) } }));", "hosts x port"), ["port:"]);
  assert.deepEqual(await find("export default defineSystem(({ pkgs }) => {\n const a = { b: 1 };\n return { a };\n});", "a b"), ["b:"]);
  assert.deepEqual(await find("const self = { a: self };\nexport default defineSystem({ config: self });", "a a a a"), ["a:"]);
});

test("looks into what the project imports", async () => {
  const source = 'import { site } from "./site.ts";\nimport base from "./base.ts";\nexport default defineSystem(() => ({ ...base, hosts: { x: site } }));';
  const files = { "site.ts": "export const site = { root: 1 };", "base.ts": "export default { time: { zone: 1 } };" };
  assert.deepEqual(await find(source, "hosts x root", files), ["site.ts: root:"]);
  assert.deepEqual(await find(source, "time zone", files), ["base.ts: zone:"]);
});

test("counts the items of a list", async () => {
  assert.deepEqual(await find('export default defineSystem({ config: { list: ["one", 2, { a: 3 }] } });', "list 2 a"), ["a:"]);
  assert.deepEqual(await find('export default defineSystem({ config: { list: ["one", 2] } });', "list 1"), ["2]"]);
  assert.deepEqual(await find("export default defineSystem({ config: { list: [...rest, 2] } });", "list 1"), ["list:"]);
});

test("of several modules in a file takes the one that is asked for", async () => {
  const source = "const one = defineModule({ config: { a: 1 } });\nconst two = defineModule({ config: { a: 2 } });\nexport default defineSystem({ imports: [one, two], config: { b: 1 } });";
  const project = writeProject(join(folder.path, "several"), { "system.config.ts": source });
  const found = await findDefinitionPlaces({ module: { file: join(project, "system.config.ts"), line: 2, column: 13 }, path: ["a"] });
  assert.deepEqual(found.map((place) => [place.name.line, place.name.column]), [[2, 38]]);
});

test("a file that is gone has no places", async () => {
  assert.deepEqual(await findDefinitionPlaces({ module: { file: join(folder.path, "gone.ts") }, path: ["a"] }), []);
});
