import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { removeTree } from "../../core/store/file-tree.ts";
import { runTsos, startTsos, type TsosOptions, type TsosResult } from "./tsos-process.ts";

/** A shell whose variables are packages that builtin builders make, so that nothing is fetched and no sandbox needed. */
const SHELL = `import { defineShell } from "tsos";

export default defineShell(({ pkgs }) => {
  const text = pkgs.writeText("greeting", "hello\\n");
  const tree = pkgs.writeTree("tree", [
    { kind: "file", path: "bin/run", contents: "#!/bin/sh\\necho ran $1\\n", executable: true },
    { kind: "symlink", path: "greeting", target: text },
  ]);
  return { name: "demo", env: { TREE: tree, TEXT: text, NUMBER: 7 } };
});
`;

const MISTAKE = `import { defineShell } from "tsos";

export default defineShell(({ pkgs }) => ({
  pakages: [pkgs.git],
}));
`;

describe("the command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-cli-"));
  const project = join(folder, "project");
  const options: TsosOptions = { cwd: project, stateFolder: join(folder, "own") };
  const store = join(folder, "store");
  const tsos = (...args: readonly string[]): Promise<TsosResult> => runTsos(["--store", store, ...args], options);
  const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const { stdout, stderr } = await tsos("--json", ...args);
    const value = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(value["version"], 1, stderr);
    return value;
  };
  let tree: string;
  let text: string;

  before(async () => {
    mkdirSync(project);
    writeFileSync(join(project, "shell.config.ts"), SHELL);
    const built = await tsos("build", "env.TREE");
    assert.equal(built.code, 0, built.stderr);
    tree = built.stdout.trim();
    text = readlinkSync(join(store, tree, "greeting"));
  });

  after(() => removeTree(folder));

  describe("says with exit code 2", { concurrency: 2 }, () => {
    for (const [words, message, hint] of [
      ["bulid", /there is no command "bulid"/, /did you mean "build"\?/],
      ["build --no-chekc", /there is no option "--no-chekc" of "tsos build"/, /did you mean "--no-check"\?/],
      ["store lss", /"lss" is no action, expected one of add, cat, ls/, /did you mean "ls"\?/],
      ["run", /"tsos run" needs a package/, /tsos run pkgs\.NAME/],
      ["-j", /the option "-j" needs a value/, /--help/],
      ["-j many build", /--jobs must be a whole number/, /--help/],
      ["", /which command\?/, /--help/],
      ["store cat", /"tsos store cat" needs a path/, /tsos store cat/],
      ["gc --max 10X", /"10X" is not a size/, /10G/],
      ["machine -p 99999", /"99999" is not a port/, /HOST:MACHINE/],
      ["switch --rollback --generation 2 --root x", /name two generations/, /one of them/],
    ] as const) {
      test(`what is wrong with "tsos ${words}"`, async () => {
        const { code, stdout, stderr } = await tsos(...words.split(" ").filter((word) => word !== ""));
        assert.equal(code, 2, stderr);
        assert.equal(stdout, "");
        assert.match(stderr, message);
        assert.match(stderr, hint);
        assert.doesNotMatch(stderr, /\n\s+at /);
      });
    }
  });

  describe("says with exit code 1", { concurrency: 2 }, () => {
    for (const [words, message, hint] of [
      ["build pkgs.helo", /there is no package "helo"/, /did you mean "hello"\?/],
      ["run helo", /there is no package "helo"/, /did you mean "hello"\?/],
      ["eval env.TRE", /the option "env.TRE" does not exist/, /did you mean "env.TREE"\?/],
      ["build env.NUMBER", /the option "env.NUMBER" is not a derivation/, /tsos eval env.NUMBER/],
      ["-c none.ts build", /there is no file ".*none.ts"/, /--config/],
      ["switch --root x --rollback", /there is no generation to go back to/, /never switched/],
      ["store info /nix/store/00000000000000000000000000000000-x", /is not valid/, /./],
      ["store ls /nonexistent", /"\/nonexistent" is not in the store/, /./],
      ["init sever", /there is no template "sever"/, /did you mean "server"\?/],
    ] as const) {
      test(`what is wrong with "tsos ${words}"`, async () => {
        const { code, stdout, stderr } = await tsos(...words.split(" "));
        assert.equal(code, 1, stderr);
        assert.equal(stdout, "");
        assert.match(stderr, message);
        assert.match(stderr, hint);
        assert.doesNotMatch(stderr, /\n\s+at |please report/);
      });
    }

    test("what is wrong with a configuration, with the line and the nearest name", async () => {
      const file = join(folder, "mistake.config.ts");
      writeFileSync(file, MISTAKE);
      const { code, stdout, stderr } = await tsos("-c", file, "--no-check", "build", "env");
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, /mistake\.config\.ts:4:3/);
      assert.match(stderr, /> 4 \|   pakages/);
      assert.match(stderr, /did you mean "packages"\?/);
      const error = (await json("-c", file, "--no-check", "build", "env"))["error"] as Record<string, unknown>;
      assert.equal(typeof error["code"], "string");
      assert.match(String(error["message"]), /pakages/);
    });
  });

  test("results are JSON of version 1 where that is asked for, and stdout holds nothing else", async () => {
    assert.equal((await json("build", "env.TREE", "--no-link"))["outPath"], tree);
    assert.match(String((await json("eval", "--drv", "env.TREE"))["drvPath"]), /\.drv$/);
    assert.equal((await json("eval", "env.NUMBER"))["value"], 7);
    assert.equal((await json("check", "--no-check"))["file"], join(project, "shell.config.ts"));
    assert.deepEqual((await json("store", "info", tree))["references"], [text]);
    assert.deepEqual((await json("store", "closure", tree))["paths"], [tree, text].sort());
    assert.deepEqual((await json("store", "ls", tree))["entries"], ["bin/", "greeting"]);
    assert.deepEqual((await json("store", "verify", "--check-contents"))["problems"], []);
    assert.equal((await json("gc", "--dry-run"))["dryRun"], true);
    assert.deepEqual((await json("shell", "env", "--no-check"))["shellHook"], "");
    assert.equal(((await json("bulid"))["error"] as Record<string, unknown>)["code"], "cli.usage");
    assert.equal(((await json("build", "pkgs.helo"))["error"] as Record<string, unknown>)["code"], "package.unknown");
  });

  test("colours are for terminals, or as --color and NO_COLOR say", async () => {
    const mistake = async (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<boolean> =>
      (await runTsos([...words, "--store", store, "build", "pkgs.helo"], { ...options, env })).stderr.includes("\u001b[");
    assert.deepEqual(
      [await mistake([]), await mistake(["--color", "always"]), await mistake(["--color", "always"], { NO_COLOR: "1" }), await mistake(["--color", "never"]), await mistake([], { NO_COLOR: "1" })],
      [false, true, true, false, false],
    );
  });

  test("eval prints values as JSON and packages as paths", async () => {
    assert.equal((await tsos("eval", "env.NUMBER")).stdout, "7\n");
    assert.equal((await tsos("eval", "env.TREE")).stdout, `${JSON.stringify(tree)}\n`);
    assert.match((await tsos("eval", "pkgs.hello")).stdout, /^\/nix\/store\/[0-9a-z]{32}-hello-/);
    assert.match((await tsos("eval", "--drv", "pkgs.hello")).stdout, /^\/nix\/store\/[0-9a-z]{32}-hello-[\d.]+\.drv\n$/);
  });

  test("a build's result link keeps it from the collector until it is removed", async () => {
    assert.equal(readlinkSync(join(project, "result")), tree);
    const why = await tsos("store", "why", tree);
    assert.ok(why.stdout.split("\n").includes(join(project, "result")));
    assert.equal((await tsos("gc")).code, 0);
    assert.ok(existsSync(join(store, tree, "bin/run")));
    assert.equal((await tsos("store", "why", text)).code, 0);

    const added = (await tsos("store", "add", join(project, "shell.config.ts"))).stdout.trim();
    const dry = await tsos("gc", "--dry-run");
    assert.ok(dry.stdout.split("\n").includes(added));
    assert.ok(!dry.stdout.includes(tree));
    assert.ok(existsSync(join(store, added)));
    assert.match((await tsos("store", "why", added)).stdout, /no root reaches it/);
    await tsos("gc");
    assert.equal(existsSync(join(store, added)), false);
  });

  test("a file that is no link into the store is not replaced by a result", async () => {
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "result"), "mine");
    const { code, stderr } = await runTsos(["--store", store, "-c", join(project, "shell.config.ts"), "build", "env.TEXT"], { ...options, cwd: other });
    assert.equal(code, 1);
    assert.match(stderr, /something else than a link into the store/);
    assert.equal(readFileSync(join(other, "result"), "utf8"), "mine");
    assert.deepEqual(readdirSync(other), ["result"]);
  });

  test("the store can be looked at, added to, dumped and restored by hand", async () => {
    assert.equal((await tsos("store", "cat", `${tree}/greeting`)).stdout, "hello\n");
    assert.equal((await tsos("store", "ls", tree)).stdout, "bin/\ngreeting\n");
    assert.equal((await tsos("store", "ls", "result/bin")).stdout, "run\n");
    const notThere = await tsos("store", "cat", `${tree}/nope`);
    assert.equal(notThere.code, 1);
    assert.match(notThere.stderr, /there is no ".*\/nope" in the store/);
    assert.match((await tsos("store", "cat", tree)).stderr, /is not a file/);

    const source = join(folder, "source");
    mkdirSync(join(source, "sub"), { recursive: true });
    writeFileSync(join(source, "sub/file"), "contents", { mode: 0o755 });
    const added = (await tsos("store", "add", source, "--name", "named")).stdout.trim();
    assert.match(added, /^\/nix\/store\/[0-9a-z]{32}-named$/);
    const { stdoutBytes } = await tsos("store", "dump", source);
    const restored = join(folder, "restored");
    assert.equal((await runTsos(["--store", store, "store", "restore", restored], { ...options, input: stdoutBytes })).code, 0);
    assert.equal(readFileSync(join(restored, "sub/file"), "utf8"), "contents");
    assert.equal(lstatSync(join(restored, "sub/file")).mode & 0o111, 0o111);
    const truncated = await runTsos(["--store", store, "store", "restore", join(folder, "cut")], { ...options, input: stdoutBytes.subarray(0, 100) });
    assert.equal(truncated.code, 1);
    assert.doesNotMatch(truncated.stderr, /please report/);
    const users = (await tsos("store", "closure", "--reverse", text)).stdout.split("\n");
    assert.ok(users.includes(tree) && users.includes(text) && !users.includes(added));
    assert.match((await tsos("store", "log", added)).stderr, /there is no build log/);
  });

  test("init makes a project that is sound, and refuses a folder that holds something", async () => {
    const target = join(folder, "new");
    mkdirSync(target);
    const made = await runTsos(["init"], { ...options, cwd: target });
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual(readdirSync(target).sort(), [".gitignore", "shell.config.ts", "tsconfig.json"]);
    const checked = await runTsos(["check"], { ...options, cwd: target });
    assert.equal(checked.code, 0, checked.stderr);
    const again = await runTsos(["init", "server"], { ...options, cwd: target });
    assert.equal(again.code, 1);
    assert.match(again.stderr, /is not empty: it holds/);
    assert.equal(existsSync(join(target, "system.config.ts")), false);
    writeFileSync(join(target, "shell.config.ts"), "mine");
    assert.equal((await runTsos(["init", "--force"], { ...options, cwd: target })).code, 0);
    assert.equal(readFileSync(join(target, "shell.config.ts"), "utf8"), "mine");
  });

  test("an interrupted build ends at once with exit code 130 and leaves nothing running or half made", async () => {
    const own = join(folder, "interrupted");
    mkdirSync(own);
    const { createServer } = await import("node:http");
    // It never answers in full, so the build is under way for as long as it is let.
    const server = createServer((_, response) => void response.writeHead(200, { "content-length": 1000 }).write("x"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    writeFileSync(
      join(own, "shell.config.ts"),
      `import { defineShell } from "tsos";\nexport default defineShell(({ pkgs }) => ({ env: { FILE: pkgs.fetchurl({ url: "mirror://debian/slow", hash: "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }) } }));\n`,
    );
    const requested = new Promise((resolve) => server.once("request", resolve));
    const building = startTsos(["--store", store, "build", "--no-check", "env.FILE"], { ...options, cwd: own, env: { TSOS_MIRRORS: `debian=http://127.0.0.1:${address.port}/debian` } });
    await Promise.race([requested, building.ended]);
    await sleep(50);
    const began = performance.now();
    building.child.kill("SIGINT");
    const { code, stdout, stderr } = await building.ended;
    assert.deepEqual([code, stdout], [130, ""], stderr);
    assert.match(stderr, /interrupted/);
    assert.ok(performance.now() - began < 5000);
    assert.deepEqual(readdirSync(join(store, "nix/store")).filter((name) => /^tmp-|\.lock$|slow$/.test(name)), []);
    assert.deepEqual(readdirSync(own), ["shell.config.ts"]);
    server.closeAllConnections();
    server.close();
    rmSync(own, { recursive: true });
  });

  test("help and the version are results", async () => {
    const help = await tsos("--help");
    assert.equal(help.code, 0);
    assert.match(help.stdout, /tsos build \[targets\.\.\]/);
    assert.match((await tsos("build", "--help")).stdout, /--rebuild/);
    assert.match((await runTsos(["--version"], options)).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
