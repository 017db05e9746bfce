import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type EtcNode, type EtcPlan, type EtcSnapshot, type OwnedCopies, planEtc } from "../../../../core/system/activate/etc-plan.ts";
import type { EtcEntry } from "../../../../core/system/manifest.ts";

/** `null` is a folder, `"file"` a file, another text a link's target; `own` the right link of tsos. */
function snapshot(nodes: Readonly<Record<string, string | null>>): EtcSnapshot {
  const find = (target: string): EtcNode => {
    const value = nodes[target];
    if (value === null) return { kind: "folder" };
    if (value === undefined) return { kind: "missing" };
    if (value === "file") return { kind: "file" };
    return { kind: "link", target: value === "own" ? `/etc/static/${target}` : value };
  };
  return { find, ownLinks: Object.keys(nodes).filter((target) => nodes[target] === "own") };
}

const link = (target: string): EtcEntry => ({ kind: "link", target, source: `/nix/store/x-${target}` });
const copy = (target: string): EtcEntry => ({ kind: "copy", target, source: "/nix/store/y", mode: "0440", user: "root", group: "0" });

function plan(entries: readonly EtcEntry[], nodes: Readonly<Record<string, string | null>>, owned: OwnedCopies = {}): EtcPlan {
  return planEtc(entries, snapshot(nodes), owned);
}

const operations = ({ operations: list }: EtcPlan): readonly string[] => list.map(({ kind, target }) => `${kind} ${target}`);

describe("planEtc", () => {
  test("links what is missing", () => {
    assert.deepEqual(operations(plan([link("a"), link("b/c")], {})), ["link a", "link b/c"]);
  });

  test("does nothing for links that are there, since /etc/static leads to the new generation", () => {
    const result = plan([link("a")], { a: "own" });
    assert.deepEqual([operations(result), result.stale, result.conflicts], [[], [], []]);
  });

  test("leaves a file alone that it does not own, and names it", () => {
    const result = plan([link("hosts"), copy("sudoers")], { hosts: "file", sudoers: "/elsewhere" });
    assert.deepEqual([operations(result), result.conflicts], [[], ["hosts", "sudoers"]]);
  });

  test("names what is declared below a file that it does not own", () => {
    assert.deepEqual(plan([link("nginx/nginx.conf")], { nginx: "file" }).conflicts, ["nginx/nginx.conf"]);
  });

  test("leaves a folder with somebody else's files alone where a link is declared", () => {
    assert.deepEqual(plan([link("ssh")], { ssh: null, "ssh/key": "file" }).conflicts, ["ssh"]);
  });

  test("removes links that nothing declares any more", () => {
    assert.deepEqual(plan([link("a")], { a: "own", b: "own", c: null, "c/d": "own" }).stale, ["b", "c/d"]);
  });

  test("leaves a link alone that leads into /etc/static under another name", () => {
    const nodes = { alias: "/etc/static/a" };
    assert.deepEqual(planEtc([], { ...snapshot(nodes), ownLinks: ["alias"] }, {}).stale, []);
  });

  test("writes copies each time, and owns them", () => {
    const result = plan([copy("sudoers")], { sudoers: "file" }, { sudoers: "/nix/store/old" });
    assert.deepEqual([operations(result), result.copies], [["copy sudoers"], { sudoers: "/nix/store/y" }]);
  });

  test("removes copies that nothing declares any more", () => {
    assert.deepEqual(plan([], { sudoers: "file" }, { sudoers: "/nix/store/y" }).stale, ["sudoers"]);
  });

  test("makes a copy out of what was a link, and a link out of what was a copy", () => {
    assert.deepEqual(operations(plan([copy("a")], { a: "own" })), ["copy a"]);
    assert.deepEqual(operations(plan([link("a")], { a: "file" }, { a: "/nix/store/y" })), ["link a"]);
  });

  test("makes a folder out of what was a link to a folder", () => {
    const result = plan([link("nginx/a"), link("nginx/b")], { nginx: "own" });
    assert.deepEqual([operations(result), result.stale], [["clear nginx", "link nginx/a", "link nginx/b"], []]);
  });

  test("makes a link out of what was a folder of its own links", () => {
    const result = plan([link("nginx")], { nginx: null, "nginx/a": "own" });
    assert.deepEqual([operations(result), result.stale], [["clear nginx/a", "clear nginx", "link nginx"], []]);
  });
});
