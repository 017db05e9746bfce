import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDerivation } from "../../../core/derivation/check-derivation.ts";
import { derivationFromJson, derivationToJson } from "../../../core/derivation/derivation-json.ts";
import { derivationOutputPaths } from "../../../core/derivation/derivation-output-paths.ts";
import { derivationStorePath } from "../../../core/derivation/derivation-store-path.ts";
import type { Derivation, DerivationOutput } from "../../../core/derivation/derivation.ts";
import { finishDerivation } from "../../../core/derivation/finish-derivation.ts";
import { formatDerivation } from "../../../core/derivation/format-derivation.ts";
import { HashModuloCache } from "../../../core/derivation/hash-modulo-cache.ts";
import { parseDerivation } from "../../../core/derivation/parse-derivation.ts";
import { dynamicInputPlaceholder, inputPlaceholder, outputPlaceholder } from "../../../core/derivation/placeholder.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { hashBytes } from "../../../core/hash/hash.ts";
import { parseStorePathBaseName, type StorePath } from "../../../core/store-path/store-path.ts";
import { encodeUtf8, toByteString } from "../../../core/util/bytes.ts";

const DEFERRED: DerivationOutput = { kind: "deferred" };

function unfinished(fields: Partial<Derivation> & { readonly name: string }): Derivation {
  return {
    outputs: new Map([["out", DEFERRED]]),
    inputDerivations: new Map(),
    inputSources: new Set(),
    platform: "x86_64-linux",
    builder: "/bin/sh",
    args: [],
    env: new Map(),
    ...fields,
  };
}

/** The attributes that `derivation` of the Nix language puts into the environment. */
function env(name: string, more: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  return new Map(Object.entries({ name, system: "x86_64-linux", builder: "/bin/sh", ...more }));
}

// The paths were made with the reference implementation, from the same attributes.
test("computes the paths that the reference computes", () => {
  const cache = new HashModuloCache();
  const source = finishDerivation(
    unfinished({
      name: "src",
      outputs: new Map([["out", { kind: "fixed", contentAddress: { method: "nar", hash: hashBytes("sha256", encodeUtf8("abc")) } }]]),
      env: env("src", { outputHash: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", outputHashMode: "recursive", outputHashAlgo: "sha256" }),
    }),
    cache,
  );
  assert.equal(source.path, "p43vaq73l7n36x2dqg40iglcq0j64amx-src.drv");
  assert.equal(source.outputPaths.get("out"), "k169ma6h0k20rh90qgyxp5fj2p5i5077-src");

  const text = toByteString('quo"te \\ tab\t newline\n return\r € $x');
  const program = finishDerivation(
    unfinished({
      name: "prog",
      outputs: new Map([["out", DEFERRED], ["dev", DEFERRED]]),
      inputDerivations: new Map([[source.path, new Set(["out"])]]),
      args: ["-c", "exit 0"],
      env: new Map([...env("prog", { outputs: "out dev", src: `/nix/store/${source.outputPaths.get("out")}` }), ["text", text]]),
    }),
    cache,
  );
  assert.equal(program.path, "nxjlqx7ny5k45schfr5lzd676byv4vv6-prog.drv");
  assert.equal(program.outputPaths.get("out"), "85nkslirvi112scj91w7wiq8hgnls3qz-prog");
  assert.equal(program.outputPaths.get("dev"), "7lk7iian7k5yrvv1jbbvs91fa0zy7xrp-prog-dev");
  assert.equal(program.derivation.env.get("dev"), `/nix/store/${program.outputPaths.get("dev")}`);

  const floating = finishDerivation(
    unfinished({
      name: "float",
      outputs: new Map([["out", { kind: "floating", method: "nar", algorithm: "sha256" }]]),
      inputDerivations: new Map([[program.path, new Set(["out", "dev"])]]),
      env: env("float", {
        outputHashMode: "recursive",
        outputHashAlgo: "sha256",
        a: `/nix/store/${program.outputPaths.get("out")} /nix/store/${program.outputPaths.get("dev")}`,
      }),
    }),
    cache,
  );
  assert.equal(floating.path, "q7mpb0p1r6pld45r63sv0sizvxrxy13b-float.drv");
  assert.equal(floating.outputPaths.get("out"), undefined);
  assert.equal(floating.derivation.env.get("out"), outputPlaceholder("out"));

  const waiting = finishDerivation(
    unfinished({
      name: "wait",
      inputDerivations: new Map([[floating.path, new Set(["out"])]]),
      env: env("wait", { a: inputPlaceholder(floating.path, "out") }),
    }),
    cache,
  );
  assert.equal(waiting.path, "z5c73d140nprcjak2c4m1abs4rk1y1a5-wait.drv");
  assert.deepEqual(waiting.derivation.outputs.get("out"), DEFERRED);

  for (const { derivation, contents, path } of [source, program, floating, waiting]) {
    const again = parseDerivation(contents, derivation.name);
    assert.equal(formatDerivation(again), contents);
    assert.equal(derivationStorePath(again), path);
    checkDerivation(again, cache.get);
    assert.deepEqual(derivationFromJson(derivationToJson(again)), again);
  }
});

test("is the same whatever order its maps and sets were filled in", () => {
  const names = ["a", "B", "_", "0"];
  const make = (order: readonly string[]): string =>
    finishDerivation(
      unfinished({
        name: "order",
        outputs: new Map(order.map((name) => [name, DEFERRED])),
        env: new Map(order.map((name) => [`var-${name}`, name])),
        inputSources: new Set(order.map((name) => parseStorePathBaseName(`${"a".repeat(32)}-${name}`))),
      }),
      new HashModuloCache(),
    ).contents;
  assert.equal(make(names), make([...names].reverse()));
});

test("rejects an output named drv, no outputs, outputs of several kinds, and bad names", () => {
  const cache = new HashModuloCache();
  const fixed: DerivationOutput = { kind: "fixed", contentAddress: { method: "flat", hash: hashBytes("sha256", new Uint8Array(0)) } };
  const rejects = (code: string, fields: Partial<Derivation> & { readonly name: string }): void => {
    assert.throws(() => finishDerivation(unfinished(fields), cache), { code }, JSON.stringify(fields.name));
  };
  rejects("derivation.bad-output-name", { name: "x", outputs: new Map([["drvPath", DEFERRED]]) });
  rejects("derivation.no-outputs", { name: "x", outputs: new Map() });
  rejects("derivation.mixed-outputs", { name: "x", outputs: new Map<string, DerivationOutput>([["out", DEFERRED], ["doc", fixed]]) });
  rejects("derivation.bad-output-name", { name: "x", outputs: new Map([["doc", fixed]]) });
  rejects("derivation.bad-name", { name: "x.drv" });
  rejects("store-path.bad-name", { name: "a b" });
  rejects("store-path.bad-name", { name: "x", outputs: new Map([["a/b", DEFERRED]]) });
});

test("names the output whose path is wrong, what it must be and what it is", () => {
  const cache = new HashModuloCache();
  const { derivation, outputPaths } = finishDerivation(unfinished({ name: "x" }), cache);
  const wrong = parseStorePathBaseName(`${"a".repeat(32)}-x`);
  const changed: Derivation = { ...derivation, outputs: new Map([["out", { kind: "input-addressed", path: wrong }]]) };
  assert.throws(
    () => checkDerivation(changed, cache.get),
    (error: unknown) => {
      assert.ok(error instanceof TsosError);
      assert.equal(error.code, "derivation.wrong-output-path");
      assert.deepEqual({ ...error.data }, { name: "x", output: "out", expected: outputPaths.get("out"), got: wrong });
      return true;
    },
  );
  const variable: Derivation = { ...derivation, env: new Map([["out", "/elsewhere"]]) };
  assert.throws(() => checkDerivation(variable, cache.get), { code: "derivation.wrong-output-variable", message: /"out" = "\/elsewhere"/ });
  const fixedText = `Derive([("out","/nix/store/${wrong}","sha256","${"0".repeat(64)}")],[],[],"s","b",[],[])`;
  assert.throws(() => parseDerivation(fixedText, "x"), { code: "derivation.wrong-output-path", message: /output "out", expected "\/nix\/store\/.*-x"/ });
});

test("reads escapes, and strings of any bytes", () => {
  const text = 'Derive([],[],[],"a\\"b","\\\\\\n\\r\\t\\x",["","\u00ff\u0000","\\\\"],[("k","\\"\\"")])';
  const derivation = parseDerivation(text, "x");
  assert.equal(derivation.platform, 'a"b');
  assert.equal(derivation.builder, "\\\n\r\tx");
  assert.deepEqual(derivation.args, ["", "\u00ff\u0000", "\\"]);
  assert.equal(derivation.env.get("k"), '""');
  assert.deepEqual(parseDerivation(Uint8Array.from(text, (character) => character.charCodeAt(0)), "x"), derivation);
});

test("says where a text is no derivation", () => {
  const good = 'Derive([("out","","","")],[("/nix/store/c015dhfh5l0lp6wxyvdn7bmwhbbr6hr9-dep.drv",["out"])],[],"s","b\\n",["x"],[("out","")])';
  parseDerivation(good, "x");
  for (let length = 0; length < good.length; length++) {
    assert.throws(() => parseDerivation(good.slice(0, length), "x"), { code: "derivation.malformed", message: /byte \d+/ }, `cut at ${length}`);
  }
  const bad: readonly (readonly [string, string, RegExp?])[] = [
    [`${good} `, "derivation.malformed", /expected the end of the text/],
    [good.replace('("out","","","")', '("out","","",""),("out","","","")'), "derivation.malformed", /output "out" stands twice/],
    [good.replace('("out","")', '("out",""),("out","")'), "derivation.malformed", /variable "out" stands twice/],
    [good.replace("c015", "../../"), "store-path.bad-hash-part", /byte 28, path/],
    [good.replace("-dep.drv", "-dep"), "derivation.malformed", /does not end in "\.drv"/],
    [good.replace('"","",""', '"","","00"'), "derivation.malformed"],
    [good.replace('"","",""', '"/nix/store/c015dhfh5l0lp6wxyvdn7bmwhbbr6hr9-x","sha256",""'), "derivation.malformed"],
    [good.replace('"","",""', '"","sha257",""'), "hash.unknown-algorithm", /output "out"/],
    [good.replace('("out","","","")', '("a b","","","")'), "store-path.bad-name"],
  ];
  for (const [text, code, message] of bad) assert.throws(() => parseDerivation(text, "x"), { code, ...(message === undefined ? {} : { message }) }, text);
});

test("reads and writes inputs that are outputs of inputs", () => {
  const path = parseStorePathBaseName("c015dhfh5l0lp6wxyvdn7bmwhbbr6hr9-dep.drv");
  const text = `DrvWithVersion("xp-dyn-drv",[],[("/nix/store/${path}",(["a"],[("b",["c"]),("d",(["e"],[("f",["g"])]))]))],[],"s","b",[],[])`;
  const derivation = parseDerivation(text, "x");
  assert.deepEqual([...derivation.inputDerivations.get(path)!], ["a"]);
  assert.deepEqual(derivation.dynamicInputs?.get(path)?.get("b")?.outputs, new Set(["c"]));
  assert.equal(formatDerivation(derivation), text);
  assert.deepEqual(derivationFromJson(derivationToJson(derivation)), derivation);
  assert.notEqual(dynamicInputPlaceholder(inputPlaceholder(path, "b"), "c"), inputPlaceholder(path, "c"));

  const deep = `${'(["a"],[("b",'.repeat(100_000)}["c"]${")])".repeat(100_000)}`;
  assert.throws(() => parseDerivation(`DrvWithVersion("xp-dyn-drv",[],[("/nix/store/${path}",${deep})],[],"s","b",[],[])`, "x"), {
    code: "derivation.malformed",
    message: /nested deeper than/,
  });
});

test("hashes a chain of inputs that is longer than the stack, and notices a cycle", () => {
  const length = 20_000;
  const path = (i: number): StorePath => `${String(i).padStart(32, "0")}-x.drv` as StorePath;
  const cache = new HashModuloCache({
    getDerivation: (input) => {
      const i = Number(input.slice(0, 32));
      const output: DerivationOutput = { kind: "input-addressed", path: parseStorePathBaseName(`${"a".repeat(32)}-x`) };
      return unfinished({ name: "x", outputs: new Map([["out", output]]), inputDerivations: i === length ? new Map() : new Map([[path(i + 1), new Set(["out"])]]) });
    },
  });
  assert.equal(cache.get(path(0)).kind, "regular");
  const circular = new HashModuloCache({ getDerivation: () => unfinished({ name: "x", inputDerivations: new Map([[path(1), new Set(["out"])]]) }) });
  assert.throws(() => circular.get(path(1)), { code: "derivation.cycle" });
  assert.throws(() => new HashModuloCache().get(path(1)), { code: "derivation.unknown-input" });
});

test("lists output paths, those of fixed outputs by their hash", () => {
  const hash = hashBytes("sha256", encodeUtf8("abc"));
  const outputs = new Map<string, DerivationOutput>([
    ["out", { kind: "fixed", contentAddress: { method: "flat", hash } }],
    ["doc", DEFERRED],
  ]);
  const paths = derivationOutputPaths(unfinished({ name: "x", outputs }));
  assert.deepEqual([...paths], [["out", "wg5dqh07jh5lgg9nvzq5skm9i3qkhl00-x"], ["doc", undefined]]);
});
