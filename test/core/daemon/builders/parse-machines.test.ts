import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseMachines } from "../../../../core/daemon/builders/parse-machines.ts";
import { fits } from "../../../../core/daemon/builders/remote-builders.ts";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import type { Derivation } from "../../../../core/derivation/derivation.ts";

const files: Readonly<Record<string, string>> = { "/machines": "ssh-ng://b aarch64-linux,armv7l-linux /key 4 2.5 kvm,big-parallel big-parallel\n# nobody\n\n", "/loop": "@/loop" };
const parse = (text: string) => parseMachines(text, { system: "x86_64-linux", readFile: (path) => files[path] });

describe("the machines of --builders", () => {
  it("are read with their defaults, from lines, semicolons and files", () => {
    const plain = { systems: ["x86_64-linux"], sshKey: undefined, maxJobs: 1, speedFactor: 1, supportedFeatures: [], mandatoryFeatures: [] };
    assert.deepEqual(parse("host; ssh://user@c - - - -\n@/machines\n@/missing # gone"), [
      { url: "ssh://host", ...plain },
      { url: "ssh://user@c", ...plain },
      { url: "ssh-ng://b", systems: ["aarch64-linux", "armv7l-linux"], sshKey: "/key", maxJobs: 4, speedFactor: 2.5, supportedFeatures: ["kvm", "big-parallel"], mandatoryFeatures: ["big-parallel"] },
    ]);
  });

  it("are refused when a number is none or a file names itself", () => {
    for (const text of ["h - - many", "h - - 1 -2", "h - - 1 fast", "- x86_64-linux", "@/loop"]) assert.throws(() => parse(text), (error) => error instanceof TsosError && error.code === "daemon.bad-machine", text);
  });

  it("build what is of their systems, asks for no feature they lack, and for all that they insist on", () => {
    const derivation = (platform: string, features: string): Derivation => ({ name: "d", outputs: new Map(), inputDerivations: new Map(), inputSources: new Set(), platform, builder: "/bin/sh", args: [], env: new Map([["requiredSystemFeatures", features]]) });
    const [machine] = parse("@/machines");
    assert.deepEqual(
      [["aarch64-linux", "big-parallel"], ["aarch64-linux", "kvm big-parallel"], ["aarch64-linux", "kvm"], ["aarch64-linux", "other big-parallel"], ["x86_64-linux", "big-parallel"]].map(([platform, features]) => fits(machine!, derivation(platform!, features!))),
      [true, true, false, false, false],
    );
  });
});
