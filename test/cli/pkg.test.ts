import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { packageNames } from "../../pkgs/index.ts";
import { runTsos, type TsosResult } from "./tsos-process.ts";

describe("tsos pkg", () => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-pkg-"));
  const tsos = (...args: readonly string[]): Promise<TsosResult> => runTsos(["--store", join(folder, "store"), ...args], { cwd: folder, stateFolder: join(folder, "own") });
  const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const { stdout, stderr } = await tsos(...args, "--json");
    assert.ok(stdout.startsWith("{"), stderr);
    const value = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(value["version"], 1);
    return value;
  };
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("finds packages by name, description and program", async () => {
    const names = async (...words: readonly string[]): Promise<readonly string[]> => ((await json("pkg", "search", ...words))["packages"] as readonly { readonly name: string }[]).map(({ name }) => name);
    assert.equal((await names("hello"))[0], "hello");
    assert.ok((await names("rg")).includes("ripgrep"));
    assert.deepEqual(await names("nothingofthiskind"), []);
    assert.ok((await names("a")).every((name) => packageNames.includes(name)));
  });

  test("shows all of one, and does not make a store to say that it is not in it", async () => {
    const shown = (await json("pkg", "show", "pkgs.hello"))["package"] as Record<string, unknown> & { readonly definedAt: { readonly file: string; readonly line: number } };
    const { name, license, mainProgram, homepage, isInStore, outPath, outputs, version } = shown;
    assert.deepEqual({ name, license, mainProgram, isInStore, homepage }, { name: "hello", license: "GPL-3.0-or-later", mainProgram: "hello", isInStore: false, homepage: "https://www.gnu.org/software/hello/" });
    assert.match(String(outPath), new RegExp(`^/nix/store/[0-9a-z]{32}-hello-${String(version)}$`));
    assert.deepEqual(outputs, { out: outPath });
    assert.match(readFileSync(shown.definedAt.file, "utf8").split("\n")[shown.definedAt.line - 1]!, /^export default definePackage/);
    assert.ok(!existsSync(join(folder, "store")));
  });

  test("names the nearest package for one that does not exist", async () => {
    const { code, stderr } = await tsos("pkg", "show", "ripgre");
    assert.equal(code, 1);
    assert.match(stderr, /there is no package "ripgre"\n.*did you mean "ripgrep"\?/);
  });

  test("prints for people", async () => {
    const { stdout } = await tsos("pkg", "show", "hello");
    assert.match(stdout, /^pkgs\.hello \S+\n {2}program that prints a friendly greeting\n/);
    assert.match(stdout, /^in store +no; tsos build pkgs\.hello makes it$/m);
  });
});
