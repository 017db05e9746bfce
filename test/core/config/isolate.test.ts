import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openIsolate } from "../../../core/config/isolate.ts";
import { hashByteString, hashToBase16 } from "../../../core/hash/hash.ts";
import type { RuntimeFolder } from "../../../core/config/runtime-folder.ts";
import { buildTrialRuntime, errorsOf, evaluateTrial, makeFolder, writeProject } from "./trial.ts";

const folder = makeFolder();
let runtime: RuntimeFolder;
before(async () => {
  runtime = await buildTrialRuntime(folder.path);
});
after(() => folder[Symbol.dispose]());

let count = 0;
function project(expression: string, files: Readonly<Record<string, string>> = {}): string {
  const path = writeProject(join(folder.path, `p${count++}`), {
    ...files,
    "system.config.ts": `import { defineSystem, hashByteString, hashToBase16, parsed, path, readFile, readFolder, source } from "tsos";\nvoid [hashByteString, hashToBase16, parsed, path, readFile, readFolder, source];\nexport default defineSystem(() => (\n  ${expression}\n));\n`,
  });
  return join(path, "system.config.ts");
}

async function value(expression: string, files: Readonly<Record<string, string>> = {}): Promise<unknown> {
  return (await evaluateTrial(runtime, project(expression, files))).result.option.value;
}

const IMPURE: readonly (readonly [string, string])[] = [
  ["Date.now()", "Date.now()"],
  ["new Date()", "new Date()"],
  ["new Date(2020, 1, 1)", "new Date(year, month, …)"],
  ['new Date("2020-01-01 08:00")', 'new Date("2020-01-01 08:00")'],
  ["new Date(0).getTimezoneOffset()", "Date.prototype.getTimezoneOffset()"],
  ["Math.random()", "Math.random()"],
  ["process.env.HOME", "process"],
  ['fetch("x")', "fetch"],
  ["setTimeout(() => {}, 1)", "setTimeout"],
  ["performance.now()", "performance"],
  ["Temporal.Now.instant()", "Temporal"],
  ["crypto.randomUUID()", "crypto"],
  ["new Intl.DateTimeFormat()", "Intl"],
  ["new WeakRef({})", "WeakRef"],
  ["new SharedArrayBuffer(4)", "SharedArrayBuffer"],
  ["WebAssembly.compile", "WebAssembly"],
  ["(1.5).toLocaleString()", "Number.prototype.toLocaleString()"],
];

for (const [expression, name] of IMPURE) {
  test(`refuses ${name} in a configuration, at its place`, async () => {
    const [error] = await errorsOf(evaluateTrial(runtime, project(expression)));
    assert.equal(error?.code, "config.impure");
    assert.equal(error.message, `"${name}" is not available in a configuration`);
    assert.equal(error.at?.line, 4);
    assert.ok(error.hint);
  });
}

test("refuses code made of strings", async () => {
  for (const expression of ['eval("1")', 'new Function("return 1")()', '(() => {}).constructor("return 1")()', '(async () => {}).constructor("return 1")()', '(function* () {}).constructor("return 1")()']) {
    const [error] = await errorsOf(evaluateTrial(runtime, project(expression)));
    assert.equal(error?.code, "config.impure", expression);
    assert.match(error.message, /"eval" and "new Function"/);
  }
});

// Each gives what it reached: nothing of the host, or an error.
const ESCAPES: readonly string[] = [
  'this?.constructor?.constructor?.("return process")()',
  'globalThis.constructor.constructor("return process")()',
  'readFile.constructor("return process")()',
  'Object.getPrototypeOf(readFile).constructor("return process")()',
  '(() => { try { readFile("./missing") } catch (e) { return (e as Error).constructor.constructor("return process")() } })()',
  '(() => { try { readFile(Symbol() as never) } catch (e) { return (e as Error).constructor.constructor("return process")() } })()',
  '(() => { try { readFile({ toString() { throw { escaped: arguments.callee.caller } } } as never) } catch (e) { return (e as Error).constructor.constructor("return process")() } })()',
  '(() => { try { null!.x } catch (e) { return (e as Error).constructor.constructor("return process")() } })()',
  // A stack that overflows inside the host's function.
  '(() => { let caught: unknown; const deep = (n: number): unknown => { try { readFile("./x"); return deep(n + 1) } catch (e) { caught ??= e; return undefined } }; deep(0); return (caught as Error).constructor.constructor("return process")() })()',
  // What formats stacks is called from outside.
  '(() => { (Error as any).prepareStackTrace = (_: unknown, sites: any[]) => sites.map((s) => s.getThis?.()?.process ?? s.getFunction?.()?.constructor?.("return process")()); return new Error().stack })()',
  '(() => { (globalThis as any).Error = { prepareStackTrace: (_: unknown, s: any) => s.constructor.constructor("return process")() }; return new RangeError().stack })()',
  '(() => { Object.defineProperty(Error, "prepareStackTrace", { value: () => 1 }); return new Error().stack })()',
  // Promises and async functions of the host.
  '(async () => {})().constructor.constructor("return process")()',
  'Reflect.construct(Function, ["return process"])()',
  'Reflect.get(Reflect.getPrototypeOf(() => {})!, "constructor")("return process")()',
  'new Proxy(readFile, {}).constructor("return process")()',
  '(globalThis as any).process.mainModule.require("fs")',
  '(globalThis as any).require("fs")',
  'Symbol.for("nodejs.util.inspect.custom") in globalThis && (globalThis as any).escaped',
];

for (const [i, expression] of ESCAPES.entries()) {
  test(`the known way out of a realm ${i + 1} leads nowhere`, async () => {
    const withProbe = `(() => { const found: unknown = ${expression}; return JSON.stringify({ type: typeof found, versions: (found as any)?.versions?.node, text: String(found) }) })()`;
    let text: string;
    try {
      text = String(await value(withProbe));
    } catch (error) {
      text = String(error);
    }
    assert.doesNotMatch(text, /"versions"/);
    assert.doesNotMatch(text, /\[object process\]/);
    assert.doesNotMatch(text, /node:|\.cjs|file:\/\//);
  });
}

// What the realm asks of the thread outside, by the runtime's own functions.
const ASKED: readonly (readonly [string, string])[] = [
  ["a file", 'readFile("./x")'],
  ["a file of an input", 'source({ op: "source", ask: "read", input: "x", path: "y" } as never)'],
  ["a parsed file", 'parsed({ op: "parsed", ask: "globals", globals: [] })'],
  ["a hash", 'hashToBase16("sha256", "text")'],
  ["a digest", 'hashByteString("sha512", "text")'],
];

for (const [what, expression] of ASKED) {
  test(`${what} that is asked for at the end of the stack fails with errors of the realm alone`, async () => {
    const found = await value(`(() => {
      const caught: unknown[] = [];
      const lists = Array.from({ length: 64 }, (_, length) => new Array(length).fill(0));
      const ask = (..._: unknown[]): unknown => ${expression};
      let isEnough = false;
      // On the way back there is ever more room, and each argument takes a word of it: so it ends at every place that it can.
      const askEverywhere = (): void => {
        let failed = 0;
        for (let i = 0; i < lists.length; i++) try { ask(...lists[i]!); } catch (error) { caught.push(error); if ((error as any).name === "RangeError") failed++; }
        isEnough = failed === 0;
      };
      const deep = (): void => { try { deep(); } catch {} if (!isEnough) askEverywhere(); };
      deep();
      const isForeign = (error: any): boolean => !(error instanceof Object) || !(error.constructor instanceof Function) || error.constructor.constructor !== Function;
      return { caught: caught.length, deep: caught.some((error) => error instanceof RangeError), foreign: caught.filter(isForeign).length };
    })()`, { x: "" });
    const { caught, deep, foreign } = found as { readonly caught: number; readonly deep: boolean; readonly foreign: number };
    assert.ok(caught > 0 && deep, JSON.stringify(found));
    assert.equal(foreign, 0, JSON.stringify(found));
  });
}

test("an object that is hashed in place of a text is not looked at from outside of the realm", async () => {
  const found = await value(`(() => {
    const seen: unknown[] = [];
    const look = (...args: unknown[]): string => { seen.push(...args); return "sha256"; };
    // Without a constructor an object is described by what it says of itself, which Node asks with functions of its own.
    const spy = { constructor: undefined, toString: look, valueOf: look, get length() { return 4; }, [Symbol.toPrimitive]: look, [Symbol.for("nodejs.util.inspect.custom")]: look };
    const caught: unknown[] = [];
    for (const [algorithm, text] of [["sha256", spy], [spy, "text"], [spy, spy], ["constructor", "text"], ["sha256", Symbol("x")], ["sha256", new String("text")]] as const) {
      for (const hash of [hashToBase16, hashByteString] as const) try { seen.push(hash(algorithm as never, text as never)); } catch (error) { caught.push(error); }
    }
    const isForeign = (x: any): boolean => (typeof x === "function" || (typeof x === "object" && x !== null)) && !(x instanceof Object);
    return { foreign: [...seen, ...caught].filter(isForeign).length };
  })()`);
  assert.deepEqual(found, { foreign: 0 });
});

test("hashes are the same as outside of the realm", async () => {
  const texts = ["", "text", "caf\xe9\xff\0", "x".repeat(100_000)];
  const algorithms = ["md5", "sha1", "sha256", "sha512", "blake3"] as const;
  const found = await value(`(${JSON.stringify(algorithms)} as never[]).flatMap((algorithm) => ${JSON.stringify(texts.slice(0, 3))}.concat("x".repeat(100_000)).map((text) => [hashToBase16(algorithm, text), [...hashByteString(algorithm, text).digest]]))`);
  assert.deepEqual(found, algorithms.flatMap((algorithm) => texts.map((text) => [hashToBase16(algorithm, text), [...hashByteString(algorithm, text).digest]])));
});

test("no thread of an isolate makes code of texts, the one around the realm neither", async () => {
  const trial = join(folder.path, "outside");
  mkdirSync(trial);
  copyFileSync(join(runtime.folder, "isolate-process.cjs"), join(trial, "isolate-process.cjs"));
  // In place of the thread that evaluates: it tells how such code fails.
  writeFileSync(join(trial, "isolate-worker.cjs"), `
    const tries = [() => eval("1"), () => new Function("return process")(), () => (async () => {}).constructor("")];
    const errors = tries.map((run) => { try { run(); return "nothing"; } catch (error) { return error.name; } });
    // A message of the kind "broken".
    const text = Buffer.from(JSON.stringify(errors));
    const header = Buffer.from([4, 0, 0, 0, 0]);
    header.writeUInt32LE(text.length, 1);
    require("node:fs").writeSync(3, Buffer.concat([header, text]));
    setInterval(() => undefined, 1000);
  `);
  await using isolate = openIsolate({ ...runtime, folder: trial });
  await assert.rejects(isolate.evaluate({ kind: "system" }, "", () => Promise.reject(new Error("asked"))), /EvalError","EvalError","EvalError/);
});

test("a realm has the language and nothing of the machine", async () => {
  const names = (await value("Object.getOwnPropertyNames(globalThis).sort()")) as string[];
  for (const name of ["process", "require", "Buffer", "fetch", "setTimeout", "crypto", "performance", "Intl", "WebAssembly", "queueMicrotask", "runtime", "start"]) assert.ok(!names.includes(name), name);
  for (const name of ["Map", "JSON", "TextEncoder", "console", "Date", "Promise"]) assert.ok(names.includes(name), name);
});

test("a stack names no path of the machine", async () => {
  const stack = String(await value('new Error("x").stack'));
  assert.match(stack, /^Error: x\n/);
  assert.doesNotMatch(stack, /\/|node:/);
});

test("an async rejection does not end the program", async () => {
  assert.deepEqual(await value('(Promise.reject(new Error("later")), { a: 1 })'), { a: 1 });
});

test("dates with a zone, order and case do not depend on the machine", async () => {
  assert.deepEqual(await value('[new Date("2026-01-31T08:00:00+01:00").toISOString(), String(new Date(0)), ["ä", "b", "a"].sort((x, y) => x.localeCompare(y)).join(""), "I".toLocaleLowerCase("tr")]'), [
    "2026-01-31T07:00:00.000Z",
    "1970-01-01T00:00:00.000Z",
    "aäb",
    "i",
  ]);
});

test("text is encoded and decoded as the platform does", async () => {
  const samples = ["", "plain", "äöü", "€", "😀 and \ud800 alone", "\ufeffmark"];
  const bytes = [[0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98, 0x80], [0xff, 0x41], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x28, 0xa1]];
  const found = await value(`[${JSON.stringify(samples)}.map((s) => Array.from(new TextEncoder().encode(s))), ${JSON.stringify(bytes)}.map((b) => new TextDecoder().decode(new Uint8Array(b)))]`);
  assert.deepEqual(found, [samples.map((s) => [...new TextEncoder().encode(s)]), bytes.map((b) => new TextDecoder().decode(new Uint8Array(b)))]);
});

test("an endless loop ends at once when it is interrupted", async () => {
  const controller = new AbortController();
  const reason = new Error("interrupted");
  setTimeout(() => controller.abort(reason), 300);
  const began = Date.now();
  await assert.rejects(evaluateTrial(runtime, project("(() => { for (;;); })()"), { signal: controller.signal }), reason);
  assert.ok(Date.now() - began < 3000);
});

test("a configuration that needs too much memory is an error", async () => {
  const [error] = await errorsOf(evaluateTrial(runtime, project("(() => { const all: unknown[] = []; for (;;) all.push(new Array(1000).fill(all.length)); })()"), { heapMegabytes: 64 }));
  assert.equal(error?.code, "config.out-of-memory");
});

test("buffers count as memory, too", async () => {
  const [error] = await errorsOf(evaluateTrial(runtime, project("(() => { const all: unknown[] = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1)); })()"), { heapMegabytes: 64 }));
  assert.ok(error?.code === "config.out-of-memory" || error?.code === "config.threw", error?.code);
});

test("endless recursion is an error at its place", async () => {
  const [error] = await errorsOf(evaluateTrial(runtime, project("(() => { const f = (): number => f() + 1; return f(); })()")));
  assert.equal(error?.code, "config.too-deep");
  assert.equal(error.at?.line, 4);
});

test("what the configuration throws has its own message and place", async () => {
  const [error] = await errorsOf(evaluateTrial(runtime, project('(() => { throw new RangeError("mine") })()')));
  assert.equal(error?.code, "config.threw");
  assert.equal(error.message, "mine");
  assert.equal(error.at?.line, 4);
  assert.equal(error.at.column, 18);
});

test("anything may be thrown", async () => {
  for (const thrown of ['"text"', "null", "undefined", "Symbol()", "{ a: 1 }", 'new Proxy({}, { getPrototypeOf() { throw 1 } })', 'Object.assign(new Error("x"), { get message() { throw 2 } })', 'Object.defineProperty(new Error("x"), "cause", { get() { throw 3 } })']) {
    const [error] = await errorsOf(evaluateTrial(runtime, project(`(() => { throw ${thrown} })()`)));
    assert.equal(error?.code, "config.threw", thrown);
  }
});

test("a configuration reads files of its project, and only those", async () => {
  assert.deepEqual(await value('[readFile("./a/b.txt"), readFolder("./a").map((e: any) => e.name)]', { "a/b.txt": "text", "a/c": "" }), ["text", ["b.txt", "c"]]);
  for (const [name, code] of [["../x", "config.outside-project"], ["../../../../../../etc/passwd", "config.outside-project"], ["/etc/passwd", "config.outside-project"], ["./nothing", "config.missing-file"], ["./a", "config.not-a-file"]] as const) {
    const [error] = await errorsOf(evaluateTrial(runtime, project(`readFile(${JSON.stringify(name)})`, { "a/b.txt": "" })));
    assert.equal(error?.code, code, name);
    assert.equal(error.at?.line, 4);
  }
});

test("a path that is not a text is an error", async () => {
  const [error] = await errorsOf(evaluateTrial(runtime, project("readFile(42 as never)")));
  assert.equal(error?.code, "config.bad-path");
});
