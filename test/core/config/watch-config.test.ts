import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runTsos, startTsos, type TsosProcess } from "../../cli/tsos-process.ts";
import { makeFolder } from "./trial.ts";

const folder = makeFolder();
const project = join(folder.path, "project");
const stateFolder = join(folder.path, "state");
const file = join(project, "system.config.ts");
let watching: TsosProcess;
/** How much of what it wrote has been looked at. */
let seen = 0;

/** What it writes from now on up to the end of the round in which `pattern` is found. */
async function until(pattern: RegExp): Promise<string> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const text = watching.stderr().slice(seen);
    const found = pattern.exec(text);
    const end = found === null ? -1 : text.indexOf("waiting for changes\n", found.index);
    if (end >= 0) {
      seen += end + "waiting for changes\n".length;
      return text.slice(0, end);
    }
    if (watching.child.exitCode !== null) assert.fail(`it ended with ${watching.child.exitCode}: ${text}`);
    if (Date.now() > deadline) assert.fail(`nothing like ${pattern} in: ${text}`);
    await sleep(5);
  }
}

/** Waits for the end of whatever rounds are left: a save in two steps, caught between them, has two. */
async function untilQuiet(): Promise<void> {
  do {
    seen = watching.stderr().length;
    await sleep(1000);
  } while (watching.stderr().length !== seen);
}

const SOUND = /is sound/;
let good = "";

before(async () => {
  const made = await runTsos(["init", "server", "--dir", project], { cwd: folder.path, stateFolder });
  assert.equal(made.code, 0, made.stderr);
  good = readFileSync(file, "utf8");
  watching = startTsos(["check", "--watch"], { cwd: project, stateFolder });
  await until(SOUND);
});
after(async () => {
  if (watching.child.exitCode === null) watching.child.kill("SIGKILL");
  await watching.ended;
  folder[Symbol.dispose]();
});

test("what is thrown is shown with its place, and that it is well again", async () => {
  writeFileSync(file, `${good}\nthrow new Error("out of milk");\n`);
  const text = await until(/out of milk/);
  assert.match(text, /system\.config\.ts changed/);
  assert.match(text, new RegExp(`system\\.config\\.ts:${good.split("\n").length + 1}:7`));
  assert.match(text, /1 error /);
  writeFileSync(file, good);
  await until(SOUND);
});

test("a type error is shown", async () => {
  writeFileSync(file, `${good}\nconst wrong: number = "a text";\n`);
  assert.match(await until(/1 error/), /not assignable to type 'number'/);
  writeFileSync(file, good);
  await until(SOUND);
});

test("a name that no option has is shown with the nearest one, once", async () => {
  writeFileSync(file, good.replace("networking", "netwroking"));
  const text = await until(/1 error/);
  assert.match(text, /did you mean "networking"/);
  assert.equal(text.match(/error:/g)?.length, 1, text);
  writeFileSync(file, good);
  await until(SOUND);
});

test("an input that is declared is known to the compiler in the same round", async () => {
  mkdirSync(join(folder.path, "collection"), { recursive: true });
  writeFileSync(join(folder.path, "collection/default.nix"), '{ ... }: { greeting = "hello"; }\n');
  writeFileSync(file, good.replace("defineSystem(", 'defineSystem({ inputs: { collection: "path:../collection" }, config: ').replace(/\}\)\);\s*$/, "}) });\n").replace("networking: {", "networking: { domain: String(pkgs.collection.greeting),"));
  await until(SOUND);
  writeFileSync(file, good);
  await until(SOUND);
});

test("a file that is imported and not there is waited for, and watched when it is", async () => {
  writeFileSync(file, `import { port } from "./ports/web.ts";\n${good}\nconst checked: 80 = port;\n`);
  await until(/cannot find "\.\/ports\/web\.ts"/);
  mkdirSync(join(project, "ports"));
  writeFileSync(join(project, "ports/web.ts"), "export const port = 80;\n");
  await until(SOUND);
  writeFileSync(join(project, "ports/web.ts"), "export const port = 8080;\n");
  assert.match(await until(/1 error/), /8080/);
  writeFileSync(join(project, "ports/web.ts"), "export const port = 80;\n");
  await until(SOUND);
});

test("an imported file that is taken away is an error until it is back", async () => {
  rmSync(join(project, "ports/web.ts"));
  await until(/cannot find "\.\/ports\/web\.ts"/);
  writeFileSync(join(project, "ports/web.ts"), "export const port = 80;\n");
  await until(SOUND);
});

test("a folder that is taken away and comes back is watched again, moved or made anew", async () => {
  for (let i = 0; i < 2; i++) {
    renameSync(join(project, "ports"), join(project, "harbours"));
    await until(/cannot find "\.\/ports\/web\.ts"/);
    renameSync(join(project, "harbours"), join(project, "ports"));
    await until(SOUND);
    rmSync(join(project, "ports"), { recursive: true });
    mkdirSync(join(project, "ports"));
    writeFileSync(join(project, "ports/web.ts"), `throw new Error("low tide ${i}");\nexport const port = 80;\n`);
    await until(new RegExp(`low tide ${i}`));
    writeFileSync(join(project, "ports/web.ts"), "export const port = 80;\n");
    await until(SOUND);
  }
});

test("a file that a link leads to is watched where it really is", async () => {
  const elsewhere = join(project, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "real.ts"), "export const port = 80;\n");
  rmSync(join(project, "ports/web.ts"));
  symlinkSync("../elsewhere/real.ts", join(project, "ports/web.ts"));
  // Whether the round in between saw the file away depends on the moment.
  writeFileSync(join(elsewhere, "real.ts"), 'throw new Error("ebb");\nexport const port = 80;\n');
  await until(/ebb/);
  writeFileSync(join(elsewhere, "real.ts"), "export const port = 80;\n");
  await until(SOUND);
  writeFileSync(file, good);
  await until(SOUND);
});

const SAVES: Readonly<Record<string, (text: string) => void>> = {
  "by a rename over it": (text) => {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  },
  "by moving the old one away": (text) => {
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
    rmSync(`${file}~`);
  },
  "by removing the old one": (text) => {
    rmSync(file);
    writeFileSync(file, text);
  },
  "by writing it twice": (text) => {
    writeFileSync(file, text.slice(0, 40));
    writeFileSync(file, text);
  },
};
for (const [how, save] of Object.entries(SAVES)) {
  test(`a save ${how} is noticed, each time`, async () => {
    for (let i = 0; i < 4; i++) {
      save(`${good}\nthrow new Error("${how}, ${i}");\n`);
      await until(new RegExp(`error: ${how}, ${i}`));
      save(`${good}// ${i}\n`);
      await until(SOUND);
    }
    writeFileSync(file, good);
    await until(SOUND);
  });
}

test("a save that changes nothing, and files that nobody reads, start nothing", async () => {
  await untilQuiet();
  writeFileSync(file, good);
  writeFileSync(join(project, "notes.txt"), "to do");
  writeFileSync(join(project, "tsos.unrelated"), "to do");
  await sleep(400);
  assert.equal(watching.stderr().slice(seen), "");
});

test("with --json each round is a line, of a shell's configuration too", async () => {
  const other = join(folder.path, "json");
  const made = await runTsos(["init", "--dir", other], { cwd: folder.path, stateFolder });
  assert.equal(made.code, 0, made.stderr);
  const watcher = startTsos(["check", "--watch", "--json"], { cwd: other, stateFolder });
  let out = "";
  watcher.child.stdout.on("data", (chunk: Buffer) => void (out += chunk.toString()));
  const lines = async (count: number): Promise<readonly { readonly isSound: boolean; readonly errors: readonly { readonly message: string; readonly at?: { readonly line: number } }[] }[]> => {
    for (const deadline = Date.now() + 30_000; out.split("\n").length <= count; await sleep(5)) if (Date.now() > deadline) assert.fail(out);
    return out.trim().split("\n").map((line) => JSON.parse(line) as { readonly isSound: boolean; readonly errors: readonly { readonly message: string }[] });
  };
  try {
    assert.equal((await lines(1))[0]?.isSound, true, out);
    const shell = join(other, "shell.config.ts");
    const text = readFileSync(shell, "utf8");
    writeFileSync(shell, `throw new Error("no beans");\n${text}`);
    const [, broken] = await lines(2);
    assert.equal(broken?.isSound, false);
    assert.match(broken.errors[0]!.message, /no beans/);
    assert.equal(broken.errors[0]!.at?.line, 1);
  } finally {
    process.kill(watcher.pid, "SIGTERM");
    await watcher.ended;
  }
});

test("an interruption ends it with 130", async () => {
  process.kill(watching.pid, "SIGINT");
  assert.equal((await watching.ended).code, 130);
});
