import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { runTsos, type TsosResult } from "./tsos-process.ts";

const program = resolve(import.meta.dirname, "../../bin/tsos.js");
const folder = mkdtempSync(join(tmpdir(), "tsos-eval-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a branch of the tree is printed with all of its options", () => {
  writeFileSync(join(folder, "system.config.ts"), 'import { defineSystem } from "tsos";\nexport default defineSystem({ config: { networking: { firewall: { allowedTCPPorts: [80] } }, system: { stateVersion: "26.11" } } });\n');
  const env = { PATH: process.env["PATH"], HOME: folder, TSOS_CACHE_DIR: join(folder, "cache"), TSOS_STATE_DIR: join(folder, "state") };
  const printed: unknown = JSON.parse(execFileSync(process.execPath, [program, "eval", "networking.firewall"], { cwd: folder, env, encoding: "utf8", timeout: 60_000 }));
  assert.ok(typeof printed === "object" && printed !== null && "enable" in printed && "allowedTCPPorts" in printed);
  assert.deepEqual(printed.allowedTCPPorts, [80]);
});

const VARIANTS = `import { defineModule, defineOptions, defineSystem, lib, option, types } from "tsos";
const options = defineOptions({
  mine: {
    tag: option(types.attrTag({ file: option(types.path, { description: "A file." }), sub: option(types.submodule({ options: { n: option(types.int, { default: 3 }) } })) }), { default: { file: "/x" } }),
    type: option(types.optionType, { default: types.listOf(types.int) }),
    module: option(types.deferredModule, { default: {} }),
  },
});
declare module "tsos" { interface OptionModules { mine: typeof options } }
const names = lib.mkRenamedOptionModule(["old"], ["mine", "tag"]);
export default defineSystem({
  imports: [defineModule({ options, imports: [names] })],
  config: ({ lib }) => ({
    networking: { hostName: "a", nameservers: lib.mkMerge([lib.mkBefore(["1.1.1.1"]), lib.mkOrder(700, ["8.8.8.8"]), ["9.9.9.9"]]) },
    warnings: ["careful"],
    ...({ old: { sub: { n: 4 } } } as object),
    specialisation: {
      fast: { configuration: { networking: { hostName: lib.mkForce("fast") } } },
      slow: { configuration: ({ config }) => ({ networking: { domain: config.networking.hostName }, warnings: ["own"] }) },
    },
    system: { stateVersion: "26.11" },
  }),
});
`;

describe("a configuration with variants, tags and modules as values", () => {
  const project = join(folder, "variants");
  before(() => {
    mkdirSync(project);
    writeFileSync(join(project, "system.config.ts"), VARIANTS);
  });
  const tsos = (...args: string[]): Promise<TsosResult> => runTsos(args, { cwd: project, stateFolder: join(folder, "own") });

  test("what is inside a variant is found by its path", async () => {
    assert.equal((await tsos("eval", "specialisation.fast.configuration.networking.hostName")).stdout, '"fast"\n');
    assert.equal((await tsos("eval", "specialisation.slow.configuration.networking.domain")).stdout, '"a"\n');
    assert.match((await tsos("eval", "specialisation.none.configuration.networking.domain")).stderr, /"specialisation\.none" does not exist/);
    const { stdout } = await tsos("option", "show", "specialisation.fast.configuration.networking.hostName");
    assert.match(stdout, /^specialisation\.fast\.configuration\.networking\.hostName\n/);
    assert.match(stdout, /system\.config\.ts:18:46  mkForce \(50\)\n    "fast"\n  system\.config\.ts:14:19  plain \(100\)  replaced/);
  });

  test("a configuration's warnings are told once, those of a variant by its name, with places, and with -q none", async () => {
    const told = await tsos("check", "--no-check");
    assert.deepEqual(told.stderr.split("\n").filter((line) => line.startsWith("warning:")).sort(), ["warning: careful", 'warning: specialisation "slow": own', 'warning: the option "old" (system.config.ts:16:11) has been renamed to "mine.tag"']);
    assert.doesNotMatch((await tsos("check", "--no-check", "-q")).stderr, /warning/);
    const { stdout } = await tsos("eval", "warnings");
    assert.doesNotMatch(stdout, /tsos:/);
    assert.match(stdout, /"the option \\"old\\" \(system\.config\.ts:16:11\) has been renamed/);
  });

  test("modules and types are told as what they are", async () => {
    assert.deepEqual(JSON.parse((await tsos("eval", "mine")).stdout), { tag: { sub: { n: 4 } }, type: "<type list of integer>", module: "<module>" });
    assert.match((await tsos("eval", "mine.module.networking")).stderr, /nothing stands at "mine\.module\.networking": the value of "mine\.module" is a module/);
  });

  test("what is inside a tag is an option, and orders stand beside priorities", async () => {
    const tag = (await tsos("option", "show", "mine.tag.file")).stdout;
    assert.match(tag, /^mine\.tag\.file\n  A file\.\n\ntype +absolute path\ndeclared +system\.config\.ts:4:5\n/);
    assert.match((await tsos("option", "show", "mine.tag.sub.n")).stdout, /type +integer\ndefault +3\n[^]*value +4\n/);
    const { stdout } = await tsos("option", "show", "networking.nameservers");
    assert.match(stdout, /plain \(100\), mkBefore \(500\)\n +\["1\.1\.1\.1"\]\n.*plain \(100\), mkOrder \(700\)\n +\["8\.8\.8\.8"\]\n.*plain \(100\)\n +\["9\.9\.9\.9"\]/);
  });
});
