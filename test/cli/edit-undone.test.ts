import assert from "node:assert/strict";
import { test } from "node:test";
import { addPackagesTo, removePackagesFrom, setOptionIn } from "../../cli/edit/edit-config.ts";
import type { ValueSource } from "../../core/config/option-description.ts";

/** The next of a row of numbers that is the same every time. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Style = { readonly newline: string; readonly indent: string; readonly quote: string; readonly trailing: boolean; readonly end: string };

const NAMES = ["git", "jq", "fd", "htop", "curl", "7zip", "openssl.dev"] as const;
const WORDS = ["a", "b", "c", "d", "e"] as const;

function drawStyle(random: (below: number) => number): Style {
  return {
    newline: ["\n", "\r\n"][random(2)]!,
    indent: ["  ", "    ", "\t"][random(3)]!,
    quote: ['"', "'"][random(2)]!,
    trailing: random(2) === 0,
    end: ["\n", "", "\n\n"][random(3)]!,
  };
}

/** A list as people write them: behind one another or one a line, with comments in any place. */
function drawList(random: (below: number) => number, items: readonly string[], style: Style, depth: number): string {
  const comment = (): string => (random(3) === 0 ? ` /* ${["tools", "for, work", "]"][random(3)]} */` : "");
  if (random(2) === 0) {
    const padding = ["", " "][random(2)]!;
    if (items.length === 0) return `[${padding}]`;
    const trailing = style.trailing && random(4) === 0 ? "," : "";
    return `[${padding}${items.map((item) => `${random(5) === 0 ? "/* the */ " : ""}${item}${comment()}`).join(", ")}${trailing}${padding}]`;
  }
  const inner = style.newline + style.indent.repeat(depth + 1);
  const lines = items.map((item, i) => {
    const above = random(4) === 0 ? `${inner}// about ${i}, and more` : "";
    const blank = i > 0 && random(5) === 0 ? style.newline : "";
    const comma = i < items.length - 1 || style.trailing ? "," : "";
    const beside = random(3) === 0 ? ` // ${["vcs", "why, not", "[x]"][random(3)]}` : "";
    return `${blank}${above}${inner}${item}${comment()}${comma}${beside}`;
  });
  return `[${lines.join("")}${style.newline}${style.indent.repeat(depth)}]`;
}

function printPackage(name: string, { quote }: Style): string {
  return `pkgs${name.split(".").map((part) => (/^\d/.test(part) ? `[${quote}${part}${quote}]` : `.${part}`)).join("")}`;
}

function drawConfig(random: (below: number) => number, packages: readonly string[], words: readonly string[]): { readonly text: string; readonly style: Style } {
  const style = drawStyle(random);
  const { newline, indent, quote } = style;
  const q = (text: string): string => `${quote}${text}${quote}`;
  const lines = [
    "// A shell, as it grew.",
    `import { defineShell } from ${q("tsos")};`,
    `import { common } from ${q("./common.ts")};`,
    "",
    "/**",
    " * What we work with.",
    " */",
    "export default defineShell(({ pkgs, lib }) => ({",
    `${indent}...common,`,
    `${indent}name: ${random(2) === 0 ? "lib.mkForce(" : "("}${q("own")}${random(2) === 0 ? " /* the name */" : ""}),${random(2) === 0 ? " // its name" : ""}`,
    `${indent}packages: ${drawList(random, packages.map((name) => printPackage(name, style)), style, 1)},${random(2) === 0 ? " // tools" : ""}`,
    "",
    `${indent}env: { /* one */ EDITOR: ${q("vi")}, ${q("A-B")}: \`x\${common.name}\` },`,
    `${indent}words: ${drawList(random, words.map(q), style, 1)}${style.trailing ? "," : ""}`,
    "}) satisfies object);",
  ];
  return { text: lines.join(newline).replace("}) satisfies object)", "}))") + style.end.replaceAll("\n", newline), style };
}

const FILE = "/project/shell.config.ts";
const json = (value: string): ValueSource => ({ kind: "json", value });
const list = (words: readonly string[]): ValueSource => ({ kind: "list", items: words.map(json) });
const CASES = 400;

/** Some of `all`, in an order of their own. */
function draw<T>(random: (below: number) => number, all: readonly T[]): T[] {
  const drawn: T[] = [];
  for (const one of all) if (random(2) === 0) drawn.splice(random(drawn.length + 1), 0, one);
  return drawn;
}

test("what is added and removed again leaves the bytes that were there", async () => {
  for (let seed = 0; seed < CASES; seed++) {
    const random = createRandom(seed);
    const packages = draw(random, NAMES);
    const { text } = drawConfig(random, packages, draw(random, WORDS));
    const added = (await addPackagesTo(FILE, text, ["ripgrep"])).text;
    assert.notEqual(added, text);
    const removed = (await removePackagesFrom(FILE, added, ["ripgrep"])).text;
    assert.equal(removed, text, `seed ${seed}:\n${added}`);
  }
});

test("what is set and set back leaves the bytes that were there", async () => {
  for (let seed = 0; seed < CASES; seed++) {
    const random = createRandom(seed);
    const words = draw(random, WORDS);
    const { text } = drawConfig(random, draw(random, NAMES), words);
    const longer = [...words, "z"];
    const changes: readonly (readonly [path: readonly string[], value: ValueSource, before: ValueSource])[] = [
      [["name"], json("other"), json("own")],
      [["env", "EDITOR"], json("nano"), json("vi")],
      [["words"], list(longer), list(words)],
      ...(words.length > 0 ? [[["words", `[${random(words.length)}]`], json("y"), undefined] as const].map(([path, value]) => [path, value, json(words[Number(path[1]!.slice(1, -1))]!)] as const) : []),
    ];
    for (const [path, value, before] of changes) {
      const changed = (await setOptionIn(FILE, text, path, value)).text;
      assert.notEqual(changed, text);
      assert.equal((await setOptionIn(FILE, changed, path, before)).text, text, `seed ${seed}, ${path.join(".")}:\n${changed}`);
    }
  }
});

test("what is not touched stays as it is, to the byte", async () => {
  for (let seed = 0; seed < CASES; seed++) {
    const random = createRandom(seed);
    const { text } = drawConfig(random, draw(random, NAMES), draw(random, WORDS));
    const added = (await addPackagesTo(FILE, text, ["ripgrep"])).text;
    const kept = [...added];
    // Every character of the old text is there in the new one, in its order.
    let at = 0;
    for (const character of text) {
      at = kept.indexOf(character, at) + 1;
      assert.notEqual(at, 0, `seed ${seed}:\n${added}`);
    }
    const comments = (of: string): readonly string[] => of.match(/\/\*.*?\*\/|\/\/.*/g) ?? [];
    assert.deepEqual(comments(added), comments(text), `seed ${seed}:\n${added}`);
  }
});
