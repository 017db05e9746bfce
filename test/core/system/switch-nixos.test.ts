import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test, type TestContext } from "node:test";
import { findCurrentToplevel, listSystemGenerations } from "../../../core/system/activate/system-profile.ts";
import { isNixosToplevel, switchNixos } from "../../../core/system/switch-nixos.ts";
import { listSystem, switchSystem } from "../../../core/system/switch.ts";
import type { SwitchAction } from "../../../core/system/switch-target.ts";

type Machine = {
  /** A toplevel with NixOS' interface: its program writes what it was asked, and ends with what `codes` say. */
  readonly toplevel: (name: string, codes?: Readonly<Record<string, number>>) => string;
  readonly to: (action: SwitchAction, toplevel: string, activated?: string) => Promise<number>;
  /** What ran since the last look: `NAME VERB GENERATIONS-OF-THE-PROFILE DEFAULT`. */
  readonly ran: () => readonly string[];
  readonly root: string;
  readonly profile: string;
  readonly said: () => string;
};

function machine(t: TestContext): Machine {
  const root = mkdtempSync(join(tmpdir(), "tsos-nixos-switch-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const profile = join(root, "nix/var/nix/profiles/system");
  mkdirSync(join(profile, ".."), { recursive: true });
  const log = join(root, "log");
  let said = "";
  return {
    root,
    profile,
    said: () => said,
    toplevel: (name, codes = {}) => {
      const folder = join(root, name);
      mkdirSync(join(folder, "bin"), { recursive: true });
      writeFileSync(join(folder, "nixos-version"), `26.11-${name}`);
      const program = join(folder, "bin/switch-to-configuration");
      writeFileSync(program, `#!/bin/sh\ncd ${join(profile, "..")}\necho "${name} $1 $(ls -d system-*-link 2>/dev/null | tr -dc '0-9\\n' | tr '\\n' ,) $(readlink system)" >> ${log}\ncase $1 in ${Object.entries(codes).map(([verb, code]) => `${verb}) exit ${code};;`).join(" ")} esac\n`);
      chmodSync(program, 0o755);
      return folder;
    },
    to: (action, toplevel, activated = toplevel) => {
      const newest = listSystemGenerations(profile).at(-1);
      return switchNixos({ action, profile, toplevel, activated, number: newest?.toplevel === toplevel ? newest.number : (newest?.number ?? 0) + 1, run: async ([program, ...args]) => {
          const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
          return { code: status ?? 1, stderr };
        }, say: (text) => void (said += text) });
    },
    ran: () => {
      const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
      rmSync(log, { force: true });
      return lines;
    },
  };
}

test("activates first, and sets the profile and the boot loader when that went well", async (t) => {
  const { toplevel, to, ran, profile } = machine(t);
  const [one, two] = [toplevel("one"), toplevel("two", { test: 4 })];
  assert.equal(await to("switch", one), 0);
  assert.deepEqual(ran(), ["one test  ", "one boot 1, system-1-link"]);
  assert.equal(await to("switch", two), 3, "units that fail do not undo a switch");
  assert.deepEqual(ran(), ["two test 1, system-1-link", "two boot 1,2, system-2-link"]);
  assert.equal(findCurrentToplevel(profile), two);
});

test("boot and test do their half, a dry activation neither", async (t) => {
  const { toplevel, to, ran, profile } = machine(t);
  const [one, two, three] = [toplevel("one"), toplevel("two"), toplevel("three")];
  await to("switch", one);
  ran();
  assert.equal(await to("test", two), 0);
  assert.equal(await to("boot", three), 0);
  assert.equal(await to("dry-activate", two), 0);
  assert.deepEqual(ran(), ["two test 1, system-1-link", "three boot 1,2, system-2-link", "two dry-activate 1,2, system-2-link"]);
  assert.equal(findCurrentToplevel(profile), three);
});

test("goes back when the activation or the boot loader fails, and the default stays", async (t) => {
  const { toplevel, to, ran, profile, said } = machine(t);
  const [one, two, three] = [toplevel("one"), toplevel("two", { test: 2 }), toplevel("three", { boot: 1 })];
  await to("switch", one);
  ran();
  assert.equal(await to("switch", two), 4);
  assert.deepEqual(ran(), ["two test 1, system-1-link", "one test 1, system-1-link"]);
  assert.equal(await to("switch", three), 4);
  assert.deepEqual(ran(), ["three test 1, system-1-link", "three boot 1,2, system-2-link", "one boot 1, system-1-link", "one test 1, system-1-link"]);
  assert.deepEqual(listSystemGenerations(profile).map(({ number, isCurrent }) => [number, isCurrent]), [[1, true]]);
  assert.match(said(), /ended with 2[\s\S]*going back[\s\S]*boot loader/);
});

test("a first switch that fails leaves nothing behind", async (t) => {
  const { toplevel, to, profile } = machine(t);
  assert.equal(await to("switch", toplevel("one", { boot: 1 })), 1);
  assert.deepEqual([listSystemGenerations(profile), existsSync(profile)], [[], false]);
});

test("a variant runs, its generation is what boots", async (t) => {
  const { toplevel, to, ran, profile } = machine(t);
  const [one, variant] = [toplevel("one"), toplevel("variant")];
  assert.equal(await to("switch", one, variant), 0);
  assert.deepEqual(ran(), ["variant test  ", "one boot 1, system-1-link"]);
  assert.equal(findCurrentToplevel(profile), one);
});

test("a machine that does not run boots what its profile is set to; generations show NixOS' version, and a rollback goes back", async (t) => {
  const { toplevel, root } = machine(t);
  const [one, two] = [toplevel("one"), toplevel("two")];
  assert.equal(isNixosToplevel(one), true);
  for (const path of [one, two]) {
    const { exitCode, offline, toplevel: reached } = await switchSystem({ action: "switch", target: { kind: "toplevel", toplevel: path }, root });
    assert.deepEqual([exitCode, offline, basename(reached)], [0, true, basename(path)]);
  }
  assert.deepEqual(listSystem(root).map(({ number, label, isCurrent }) => [number, label, isCurrent]), [[1, "NixOS 26.11-one", false], [2, "NixOS 26.11-two", true]]);
  const { generation } = await switchSystem({ action: "switch", target: { kind: "rollback" }, root });
  assert.equal(generation, 1);
});
