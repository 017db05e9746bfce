import assert from "node:assert/strict";
import { chmodSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findCached, writeCached } from "../../../core/config/evaluation-cache.ts";
import type { RuntimeFolder } from "../../../core/config/runtime-folder.ts";
import { buildTrialRuntime, errorsOf, evaluateTrial, makeFolder, writeProject } from "./trial.ts";

const folder = makeFolder();
let runtime: RuntimeFolder;
before(async () => {
  runtime = await buildTrialRuntime(folder.path);
});
after(() => folder[Symbol.dispose]());

let count = 0;
function makeProject(files: Readonly<Record<string, string>>) {
  const path = writeProject(join(folder.path, `p${count++}`), files);
  const cacheDir = join(path, "..", `cache${count}`);
  return {
    path,
    cacheDir,
    write: (name: string, contents: string) => writeFileSync(join(path, name), contents),
    evaluate: async () => {
      const { result, cached } = await evaluateTrial(runtime, join(path, "system.config.ts"), { cacheDir });
      return [result.option.value, cached ? "cached" : "evaluated"];
    },
  };
}

/** As if the file had last been touched long ago, so that its stamp alone is trusted. */
function age(file: string): void {
  utimesSync(file, new Date("2020-01-01"), new Date("2020-01-01"));
}

test("an unchanged configuration is answered from the cache", async () => {
  const project = makeProject({ "system.config.ts": 'import a from "./a.json";\nexport default a.x;', "a.json": '{ "x": 1 }' });
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
  assert.deepEqual(await project.evaluate(), [1, "cached"]);
  const touched = new Date("2021-01-01");
  utimesSync(join(project.path, "a.json"), touched, touched);
  assert.deepEqual(await project.evaluate(), [1, "cached"], "a new time with the same contents is no change");
});

test("every file that was read counts", async () => {
  const project = makeProject({
    "system.config.ts": 'import { readFile } from "tsos";\nimport b from "./b.ts";\nimport text from "./c.txt";\nexport default [b, text, readFile("./d")];',
    "b.ts": "export default 1;",
    "c.txt": "one",
    d: "one",
  });
  assert.deepEqual(await project.evaluate(), [[1, "one", "one"], "evaluated"]);
  project.write("b.ts", "export default 2;");
  assert.deepEqual(await project.evaluate(), [[2, "one", "one"], "evaluated"]);
  project.write("c.txt", "two");
  assert.deepEqual(await project.evaluate(), [[2, "two", "one"], "evaluated"]);
  project.write("d", "two");
  assert.deepEqual(await project.evaluate(), [[2, "two", "two"], "evaluated"]);
  assert.deepEqual(await project.evaluate(), [[2, "two", "two"], "cached"]);
});

test("a change of the same size within the same moment is seen", async () => {
  const project = makeProject({ "system.config.ts": "export default 1;" });
  for (let i = 1; i < 9; i++) {
    project.write("system.config.ts", `export default ${i};`);
    assert.deepEqual((await project.evaluate())[0], i);
  }
});

test("a change that keeps size and times is seen by its inode's own time", async () => {
  const project = makeProject({ "system.config.ts": "export default 1;" });
  age(join(project.path, "system.config.ts"));
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
  project.write("system.config.ts", "export default 2;");
  age(join(project.path, "system.config.ts"));
  assert.deepEqual(await project.evaluate(), [2, "evaluated"]);
});

test("a file that appears before one that was taken is seen", async () => {
  const project = makeProject({ "system.config.ts": 'import a from "./a";\nexport default a;', "a.js": "export default 1;" });
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
  project.write("a.ts", "export default 2;");
  assert.deepEqual(await project.evaluate(), [2, "evaluated"]);
});

test("a package that is installed nearer, or changed, is seen", async () => {
  const project = makeProject({
    "sub/system.config.ts": 'import { a } from "dep";\nexport default a;',
    "node_modules/dep/package.json": '{ "main": "one.js" }',
    "node_modules/dep/one.js": "exports.a = 1;",
    "node_modules/dep/two.js": "exports.a = 2;",
  });
  const evaluate = async () => (await evaluateTrial(runtime, join(project.path, "sub/system.config.ts"), { cacheDir: project.cacheDir })).result.option.value;
  assert.equal(await evaluate(), 1);
  project.write("node_modules/dep/package.json", '{ "main": "two.js" }');
  assert.equal(await evaluate(), 2);
  writeProject(join(project.path, "sub/node_modules/dep"), { "package.json": '{ "main": "x.js" }', "x.js": "exports.a = 3;" });
  assert.equal(await evaluate(), 3);
});

test("a folder that is taken whole counts with all that is in it", async () => {
  const project = makeProject({ "system.config.ts": 'import { path } from "tsos";\nexport default path("./site").narHash;', "site/index.html": "one", "site/sub/x": "" });
  const [first, how] = await project.evaluate();
  assert.match(String(first), /^sha256:[0-9a-f]{64}$/);
  assert.equal(how, "evaluated");
  assert.deepEqual(await project.evaluate(), [first, "cached"]);
  project.write("site/index.html", "two");
  const [second] = await project.evaluate();
  assert.notEqual(second, first);
  chmodSync(join(project.path, "site/index.html"), 0o755);
  const [third] = await project.evaluate();
  assert.notEqual(third, second);
  project.write("site/sub/y", "");
  assert.notEqual((await project.evaluate())[0], third);
});

test("a file whose lack was caught is seen when it appears", async () => {
  const project = makeProject({ "system.config.ts": 'import { readFile } from "tsos";\nlet text = "none";\ntry { text = readFile("./local.txt"); } catch {}\nexport default text;' });
  assert.deepEqual(await project.evaluate(), ["none", "evaluated"]);
  assert.deepEqual(await project.evaluate(), ["none", "cached"]);
  project.write("local.txt", "there");
  assert.deepEqual(await project.evaluate(), ["there", "evaluated"]);
});

test("what was refused and caught is asked again", async () => {
  const project = makeProject({ "system.config.ts": 'import { readFile } from "tsos";\nlet text = "none";\ntry { text = readFile("./link"); } catch {}\nexport default text;', "inside.txt": "inside" });
  symlinkSync("/etc/passwd", join(project.path, "link"));
  assert.deepEqual(await project.evaluate(), ["none", "evaluated"]);
  rmSync(join(project.path, "link"));
  symlinkSync("inside.txt", join(project.path, "link"));
  assert.deepEqual(await project.evaluate(), ["inside", "evaluated"]);
});

test("a link that leads to another file is seen", async () => {
  const project = makeProject({ "system.config.ts": 'import { readFile, path } from "tsos";\nexport default [readFile("./now/x"), path("./now").name];', "a/x": "one", "b/x": "two" });
  symlinkSync("a", join(project.path, "now"));
  assert.deepEqual(await project.evaluate(), [["one", "a"], "evaluated"]);
  assert.deepEqual(await project.evaluate(), [["one", "a"], "cached"]);
  rmSync(join(project.path, "now"));
  symlinkSync("b", join(project.path, "now"));
  assert.deepEqual(await project.evaluate(), [["two", "b"], "evaluated"]);
});

test("a project that begins elsewhere is another one", async () => {
  const project = makeProject({ "sub/system.config.ts": 'import { readFile } from "tsos";\nexport default readFile("../x");', x: "outside" });
  const evaluate = () => evaluateTrial(runtime, join(project.path, "sub/system.config.ts"), { cacheDir: project.cacheDir });
  assert.equal((await evaluate()).result.option.value, "outside");
  project.write("sub/package.json", "{}");
  await assert.rejects(evaluate(), { code: "config.outside-project" });
});

test("what an own package.json says an import stands for is seen", async () => {
  const project = makeProject({ "system.config.ts": 'import a from "#a";\nexport default a;', "package.json": '{ "imports": { "#a": "./one.js" } }', "one.js": "export default 1;", "two.js": "export default 2;" });
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
  project.write("package.json", '{ "imports": { "#a": "./two.js" } }');
  assert.deepEqual(await project.evaluate(), [2, "evaluated"]);
});

test("an entry that others may write, a link, or one under another name is as good as none", async () => {
  const project = makeProject({ "system.config.ts": "export default 1;" });
  await project.evaluate();
  const [name = ""] = readdirSync(project.cacheDir);
  const file = join(project.cacheDir, name);
  chmodSync(file, 0o622);
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
  assert.deepEqual(await project.evaluate(), [1, "cached"]);
  renameSync(file, join(project.cacheDir, "0".repeat(64)));
  assert.equal(await findCached(project.cacheDir, "0".repeat(64)), undefined);
  symlinkSync("0".repeat(64), file);
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
});

test("a folder that is listed counts with its names", async () => {
  const project = makeProject({ "system.config.ts": 'import { readFolder } from "tsos";\nexport default readFolder("./hosts").map((e) => e.name);', "hosts/a.json": "" });
  assert.deepEqual(await project.evaluate(), [["a.json"], "evaluated"]);
  assert.deepEqual(await project.evaluate(), [["a.json"], "cached"]);
  project.write("hosts/b.json", "");
  assert.deepEqual(await project.evaluate(), [["a.json", "b.json"], "evaluated"]);
});

test("a symbolic link that leads out of the project is refused", async () => {
  const project = makeProject({ "system.config.ts": 'import { path } from "tsos";\nexport default path("./site").narHash;', "site/index.html": "one" });
  symlinkSync("index.html", join(project.path, "site/inside"));
  assert.equal((await project.evaluate())[1], "evaluated");
  symlinkSync("/etc/passwd", join(project.path, "site/outside"));
  const [error] = await errorsOf(project.evaluate());
  assert.equal(error?.code, "config.outside-project");
  assert.match(error.message, /site\/outside/);
  assert.equal(error.at?.line, 2);
  rmSync(join(project.path, "site"), { recursive: true });
  symlinkSync("/etc", join(project.path, "site"));
  assert.equal((await errorsOf(project.evaluate()))[0]?.code, "config.outside-project");
});

test("an entry that is damaged, cut or empty is as good as none", async () => {
  const project = makeProject({ "system.config.ts": "export default 1;" });
  await project.evaluate();
  const [name] = readdirSync(project.cacheDir);
  assert.ok(name !== undefined);
  const file = join(project.cacheDir, name);
  const whole = readFileSync(file);
  for (let i = 0; i < whole.length; i += 7) {
    const damaged = Buffer.from(whole);
    damaged[i] = (damaged[i] ?? 0) ^ 1;
    writeFileSync(file, damaged);
    assert.equal(await findCached(project.cacheDir, name), undefined, `byte ${i}`);
  }
  writeFileSync(file, whole);
  truncateSync(file, whole.length - 1);
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
  truncateSync(file, 0);
  assert.deepEqual(await project.evaluate(), [1, "evaluated"]);
  assert.deepEqual(await project.evaluate(), [1, "cached"]);
});

test("writers of the same entry do not disturb each other", async () => {
  const project = makeProject({ "system.config.ts": "export default 1;" });
  const all = await Promise.all(Array.from({ length: 4 }, () => project.evaluate()));
  assert.deepEqual(all.map(([value]) => value), [1, 1, 1, 1]);
  assert.deepEqual(await project.evaluate(), [1, "cached"]);
  assert.equal(readdirSync(project.cacheDir).length, 1);
});

test("the cache keeps a bounded number of entries", () => {
  const cacheDir = join(folder.path, "bounded");
  for (let i = 0; i < 260; i++) writeCached(cacheDir, `key${i}`, { reads: [], value: i });
  const names = readdirSync(cacheDir);
  assert.ok(names.length <= 200 && names.includes("key259"), String(names.length));
});

test("a cache that cannot be written to is no error", async () => {
  const file = join(folder.path, "file-not-folder");
  writeFileSync(file, "");
  const project = makeProject({ "system.config.ts": "export default 1;" });
  assert.equal((await evaluateTrial(runtime, join(project.path, "system.config.ts"), { cacheDir: join(file, "x") })).result.option.value, 1);
});

test("what a configuration prints is said again when the answer is remembered", async () => {
  const project = makeProject({ "system.config.ts": 'console.log("hello", { a: 1 });\nexport default 1;' });
  const file = join(project.path, "system.config.ts");
  for (const cached of [false, true]) {
    const evaluation = await evaluateTrial(runtime, file, { cacheDir: project.cacheDir });
    assert.deepEqual([evaluation.cached, evaluation.printed], [cached, ['hello {\n  "a": 1\n}']]);
  }
});

test("the same configuration gives the same elsewhere", async () => {
  const files = { "system.config.ts": 'import { path } from "tsos";\nimport b from "./b.ts";\nexport default [path("./b.ts"), b, new Error("x").stack];', "b.ts": "export default 1;" };
  const one = await makeProject(files).evaluate();
  const two = await makeProject(files).evaluate();
  assert.deepEqual(one, two);
});

test("the engine's code cache is made anew when it does not fit", async () => {
  const file = join(runtime.folder, "runtime.cache");
  const whole = readFileSync(file);
  for (const contents of [Buffer.alloc(0), Buffer.from("nonsense"), Buffer.concat([whole.subarray(0, 200), Buffer.alloc(whole.length - 200)])]) {
    writeFileSync(file, contents);
    assert.deepEqual((await makeProject({ "system.config.ts": "export default 1;" }).evaluate())[0], 1);
    assert.ok(statSync(file).size > 10_000);
  }
});
