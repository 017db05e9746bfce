import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest } from "../../../../core/system/activate/read-manifest.ts";
import type { JobOutcome, SystemManager } from "../../../../core/system/activate/system-manager.ts";
import { findUnit, readUnitFiles } from "../../../../core/system/activate/unit-files.ts";

export type FakeState = {
  /** Unit → the command of the definition that it was started with. */
  running: Record<string, string>;
  failed: string[];
  /** What systemd has read: unit → its command. */
  loaded: Record<string, string>;
  calls: string[];
};

/** A systemd whose whole state is a file, so that it outlives the activator as the real one does. */
export function openFakeSystemd(file: string, root: string): SystemManager {
  const read = (): FakeState => {
    try {
      return JSON.parse(readFileSync(file, "utf8")) as FakeState;
    } catch {
      return { running: {}, failed: [], loaded: {}, calls: [] };
    }
  };
  const change = (body: (state: FakeState) => void): void => {
    const state = read();
    body(state);
    writeFileSync(file, JSON.stringify(state));
  };
  const job = (verb: string, each: (state: FakeState, unit: string) => void) => async (units: readonly string[]): Promise<JobOutcome> => {
    change((state) => {
      state.calls.push(`${verb} ${units.join(" ")}`);
      for (const unit of units) each(state, unit);
    });
    return { kind: "done" };
  };
  const start = (state: FakeState, unit: string): void => {
    const command = state.loaded[unit];
    if (command === undefined) throw new Error(`systemd knows no unit ${unit}`);
    state.failed = state.failed.filter((one) => one !== unit);
    if (command === "/bin/fail") state.failed.push(unit);
    else state.running[unit] = command;
  };
  return {
    async listUnits() {
      const state = read();
      return [
        { name: "multi-user.target", active: "active", sub: "active" },
        ...Object.keys(state.running).map((name) => ({ name, active: "active", sub: "running" })),
        ...state.failed.map((name) => ({ name, active: "failed", sub: "failed" })),
      ];
    },
    stop: job("stop", (state, unit) => void delete state.running[unit]),
    reload: job("reload", () => {}),
    restart: job("restart", start),
    start: job("start", start),
    async daemonReload() {
      const manifest = readManifest(join(readlinkSync(join(root, "etc/static")), ".."));
      const files = readUnitFiles(manifest);
      change((state) => {
        state.loaded = {};
        for (const name of ["a.service", "b.service", "c.service", "d.service"]) {
          const unit = findUnit(files, name);
          if (unit !== undefined && !unit.masked) state.loaded[name] = unit.sections.get("Service")?.get("ExecStart")?.[0] ?? "";
        }
      });
    },
    async daemonReexec() {},
    async resetFailed() {},
    async log() {
      return "";
    },
  };
}

export function readFakeState(file: string): FakeState {
  return JSON.parse(readFileSync(file, "utf8")) as FakeState;
}
