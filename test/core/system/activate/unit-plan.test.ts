import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UnitFiles, UnitText } from "../../../../core/system/activate/unit-files.ts";
import { fstabUnits, wantedUnits } from "../../../../core/system/activate/unit-files.ts";
import { planUnits, type UnitPlan, type UnitState } from "../../../../core/system/activate/unit-plan.ts";

type Files = Readonly<Record<string, string>>;

/** Units by path; `null` text would be masked: write "masked". OS-root units are in `base`. */
function unitFiles(declared: Files, base: Files = {}): UnitFiles {
  const read = (path: string): UnitText | undefined => {
    if (declared[path] === "masked") return { kind: "masked" };
    if (declared[path] !== undefined) return { kind: "text", text: declared[path], declared: true };
    if (base[path] !== undefined) return { kind: "text", text: base[path], declared: false };
    return undefined;
  };
  const list = (folder: string): readonly string[] =>
    [...new Set([...Object.keys(declared), ...Object.keys(base)])].filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1)).sort();
  return { read, list };
}

const TARGET = { "multi-user.target": "[Unit]\nDescription=Multi-User\n" };

/** The same file wanted by multi-user.target. */
function wanted(...names: readonly string[]): Files {
  return Object.fromEntries(names.map((name) => [`multi-user.target.wants/${name}`, ""]));
}

function running(...names: readonly string[]): UnitState[] {
  return names.map((name) => ({ name, active: "active", sub: name.endsWith(".service") ? "running" : "active" }));
}

function plan(before: Files | undefined, after: Files, states: readonly UnitState[], more: { readonly base?: Files; readonly pending?: UnitPlan } = {}): UnitPlan {
  const base = { ...TARGET, ...more.base };
  return planUnits({
    states: [...running("multi-user.target"), ...states],
    oldFiles: before === undefined ? undefined : unitFiles(before, base),
    newFiles: unitFiles(after, base),
    oldTarget: "multi-user.target",
    newTarget: "multi-user.target",
    pending: more.pending,
  });
}

const NOTHING: UnitPlan = { stop: [], reload: [], restart: [], start: [], skipped: [] };
const service = (exec: string, rest = ""): string => `[Unit]\nDescription=A\n${rest}[Service]\nExecStart=/bin/${exec}\n`;

describe("planUnits", () => {
  test("does nothing when nothing changed", () => {
    const files = { "a.service": service("a"), ...wanted("a.service") };
    assert.deepEqual(plan(files, files, running("a.service")), NOTHING);
  });

  test("stops a changed service with its old definition and starts it with the new one", () => {
    const result = plan({ "a.service": service("a"), ...wanted("a.service") }, { "a.service": service("b"), ...wanted("a.service") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service"], start: ["a.service"] });
  });

  test("restarts a changed service in one go with X-StopIfChanged=false", () => {
    const result = plan({ "a.service": service("a") }, { "a.service": service("b", "X-StopIfChanged=false\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, restart: ["a.service"] });
  });

  test("reads the switches of the activator in [Service] too", () => {
    const result = plan({ "a.service": service("a") }, { "a.service": `${service("b")}X-StopIfChanged=false\n` }, running("a.service"));
    assert.deepEqual(result.restart, ["a.service"]);
  });

  test("reloads a changed service with X-ReloadIfChanged=true", () => {
    const result = plan({ "a.service": service("a") }, { "a.service": service("b", "X-ReloadIfChanged=true\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, reload: ["a.service"] });
  });

  test("leaves a changed service with X-RestartIfChanged=false as it is", () => {
    const result = plan({ "a.service": service("a") }, { "a.service": service("b", "X-RestartIfChanged=false\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, skipped: ["a.service"] });
  });

  test("leaves a changed service with RefuseManualStop=true as it is", () => {
    const result = plan({ "a.service": service("a") }, { "a.service": service("b", "RefuseManualStop=true\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, skipped: ["a.service"] });
  });

  test("leaves a changed service with X-OnlyManualStart=true as it is", () => {
    const result = plan({ "a.service": service("a") }, { "a.service": service("b", "X-OnlyManualStart=true\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, skipped: ["a.service"] });
  });

  test("takes no notice of a changed description, documentation or [Install]", () => {
    const before = service("a");
    const after = `${before.replace("Description=A", "Description=Other\nDocumentation=man:a(8)")}[Install]\nWantedBy=x.target\n`;
    assert.deepEqual(plan({ "a.service": before }, { "a.service": after }, running("a.service")), NOTHING);
  });

  test("takes no notice of comments, blank lines and the order of sections", () => {
    const after = "# hello\n\n[Service]\nExecStart=/bin/a\n\n[Unit]\n; more\nDescription=A\n";
    assert.deepEqual(plan({ "a.service": service("a") }, { "a.service": after }, running("a.service")), NOTHING);
  });

  test("takes a line continued with a backslash for one line", () => {
    const before = "[Service]\nExecStart=/bin/a one two\n";
    const after = "[Service]\nExecStart=/bin/a \\\n  one two\n";
    assert.deepEqual(plan({ "a.service": before }, { "a.service": after }, running("a.service")), NOTHING);
  });

  test("restarts on a changed X-Restart-Triggers", () => {
    const result = plan({ "a.service": service("a", "X-Restart-Triggers=/nix/store/1\n") }, { "a.service": service("a", "X-Restart-Triggers=/nix/store/2\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service"], start: ["a.service"] });
  });

  test("only reloads when nothing but X-Reload-Triggers changed", () => {
    const result = plan({ "a.service": service("a", "X-Reload-Triggers=1\n") }, { "a.service": service("a", "X-Reload-Triggers=2\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, reload: ["a.service"] });
  });

  test("restarts when X-Reload-Triggers changed together with something else", () => {
    const result = plan({ "a.service": service("a", "X-Reload-Triggers=1\n") }, { "a.service": service("b", "X-Reload-Triggers=2\n") }, running("a.service"));
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service"], start: ["a.service"] });
  });

  test("sees a change in the order of values", () => {
    const before = "[Service]\nExecStartPre=/bin/a\nExecStartPre=/bin/b\n";
    const after = "[Service]\nExecStartPre=/bin/b\nExecStartPre=/bin/a\n";
    assert.deepEqual(plan({ "a.service": before }, { "a.service": after }, running("a.service")).stop, ["a.service"]);
  });

  test("stops a unit that is gone", () => {
    assert.deepEqual(plan({ "a.service": service("a") }, {}, running("a.service")), { ...NOTHING, stop: ["a.service"] });
  });

  test("stops a unit that is masked", () => {
    assert.deepEqual(plan({ "a.service": service("a") }, { "a.service": "masked" }, running("a.service")), { ...NOTHING, stop: ["a.service"] });
  });

  test("leaves a unit that is gone running with X-StopOnRemoval=false", () => {
    assert.deepEqual(plan({ "a.service": service("a", "X-StopOnRemoval=false\n") }, {}, running("a.service")), NOTHING);
  });

  test("leaves a unit alone that no generation declares", () => {
    assert.deepEqual(plan({}, {}, running("session-1.scope", "user@1000.service", "dev-sda.device")), NOTHING);
  });

  test("starts what the new generation wants and the old one did not", () => {
    assert.deepEqual(plan({}, { "a.service": service("a"), ...wanted("a.service") }, []), { ...NOTHING, start: ["a.service"] });
  });

  test("does not start a new unit that nothing wants", () => {
    assert.deepEqual(plan({}, { "a.service": service("a") }, []), NOTHING);
  });

  test("starts what a unit reached over several targets wants", () => {
    const after = { "x.target": "[Unit]\nWants=y.target\n", "y.target": "[Unit]\n", "y.target.wants/a.service": "", "a.service": service("a"), ...wanted("x.target") };
    assert.deepEqual(plan({}, after, []).start, ["a.service", "x.target", "y.target"]);
  });

  test("does not start a unit again that an admin stopped", () => {
    const files = { "a.service": service("a"), ...wanted("a.service") };
    assert.deepEqual(plan(files, files, [{ name: "a.service", active: "inactive", sub: "dead" }]), NOTHING);
  });

  test("does not start a changed unit that an admin stopped", () => {
    const result = plan({ "a.service": service("a"), ...wanted("a.service") }, { "a.service": service("b"), ...wanted("a.service") }, [{ name: "a.service", active: "inactive", sub: "dead" }]);
    assert.deepEqual(result, NOTHING);
  });

  test("starts a wanted unit that has failed", () => {
    const files = { "a.service": service("a"), ...wanted("a.service") };
    assert.deepEqual(plan(files, files, [{ name: "a.service", active: "failed", sub: "failed" }]), { ...NOTHING, start: ["a.service"] });
  });

  test("takes a service that is about to be restarted for a running one", () => {
    const result = plan({ "a.service": service("a") }, { "a.service": service("b") }, [{ name: "a.service", active: "activating", sub: "auto-restart" }]);
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service"], start: ["a.service"] });
  });

  test("runs a changed oneshot that has come to its end once more", () => {
    const oneshot = (exec: string): string => `[Service]\nType=oneshot\nExecStart=/bin/${exec}\n`;
    const result = plan({ "a.service": oneshot("a"), ...wanted("a.service") }, { "a.service": oneshot("b"), ...wanted("a.service") }, [{ name: "a.service", active: "inactive", sub: "dead" }]);
    assert.deepEqual(result, { ...NOTHING, start: ["a.service"] });
  });

  test("stops the socket of a changed socket-activated service and starts only the socket", () => {
    const socket = { "a.socket": "[Socket]\nListenStream=/run/a\n" };
    const result = plan({ "a.service": service("a"), ...socket }, { "a.service": service("b"), ...socket }, running("a.service", "a.socket"));
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service", "a.socket"], start: ["a.socket"] });
  });

  test("starts a changed service itself when it is X-NotSocketActivated", () => {
    const socket = { "a.socket": "[Socket]\nListenStream=/run/a\n" };
    const result = plan({ "a.service": service("a"), ...socket }, { "a.service": service("b", "X-NotSocketActivated=true\n"), ...socket }, running("a.service", "a.socket"));
    assert.deepEqual(result.start, ["a.service", "a.socket"]);
  });

  test("starts a changed service itself when its socket is gone", () => {
    const result = plan({ "a.service": service("a"), "a.socket": "[Socket]\nListenStream=/run/a\n" }, { "a.service": service("b") }, running("a.service", "a.socket"));
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service", "a.socket"], start: ["a.service"] });
  });

  test("stops a changed socket with its service, which holds the old descriptors", () => {
    const files = (address: string): Files => ({ "a.service": service("a"), "a.socket": `[Socket]\nListenStream=${address}\n` });
    const result = plan(files("/run/a"), files("/run/b"), running("a.service", "a.socket"));
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service", "a.socket"], start: ["a.socket"] });
  });

  test("restarts a changed timer", () => {
    const timer = (when: string): Files => ({ "a.timer": `[Timer]\nOnCalendar=${when}\n` });
    assert.deepEqual(plan(timer("daily"), timer("hourly"), running("a.timer")), { ...NOTHING, restart: ["a.timer"] });
  });

  test("leaves a changed slice to the reload of systemd", () => {
    const slice = (weight: number): Files => ({ "a.slice": `[Slice]\nCPUWeight=${weight}\n` });
    assert.deepEqual(plan(slice(1), slice(2), running("a.slice")), NOTHING);
  });

  test("reloads a mount of which only the options changed", () => {
    const mount = (options: string): Files => ({ "mnt.mount": `[Mount]\nWhat=tmpfs\nWhere=/mnt\nOptions=${options}\n` });
    assert.deepEqual(plan(mount("rw"), mount("ro"), running("mnt.mount")), { ...NOTHING, reload: ["mnt.mount"] });
  });

  test("restarts a mount of another device", () => {
    const mount = (what: string): Files => ({ "mnt.mount": `[Mount]\nWhat=${what}\nWhere=/mnt\n` });
    assert.deepEqual(plan(mount("tmpfs"), mount("ramfs"), running("mnt.mount")), { ...NOTHING, restart: ["mnt.mount"] });
  });

  test("never takes the root file system away", () => {
    const mount = (what: string): Files => ({ "-.mount": `[Mount]\nWhat=${what}\nWhere=/\n` });
    assert.deepEqual(plan(mount("/dev/a"), mount("/dev/b"), running("-.mount")), { ...NOTHING, reload: ["-.mount"] });
  });

  test("compares an instance by its template", () => {
    const result = plan({ "a@.service": service("a") }, { "a@.service": service("b") }, running("a@one.service", "a@two.service"));
    assert.deepEqual(result, { ...NOTHING, stop: ["a@one.service", "a@two.service"], start: ["a@one.service", "a@two.service"] });
  });

  test("prefers an instance's own file to its template", () => {
    const own = { "a@one.service": service("own") };
    const result = plan({ "a@.service": service("a"), ...own }, { "a@.service": service("b"), ...own }, running("a@one.service", "a@two.service"));
    assert.deepEqual(result.stop, ["a@two.service"]);
  });

  test("sees a changed drop-in", () => {
    const files = (nice: number): Files => ({ "a.service": service("a"), "a.service.d/10-nice.conf": `[Service]\nNice=${nice}\n` });
    assert.deepEqual(plan(files(1), files(2), running("a.service")).stop, ["a.service"]);
  });

  test("sees a drop-in for a unit of the OS root", () => {
    const result = plan({}, { "a.service.d/10-nice.conf": "[Service]\nNice=1\n" }, running("a.service"), { base: { "a.service": service("a") } });
    assert.deepEqual(result, { ...NOTHING, stop: ["a.service"], start: ["a.service"] });
  });

  test("leaves units that only the OS root has to their packages", () => {
    const result = planUnits({
      states: running("dbus.service"),
      oldFiles: unitFiles({}, { ...TARGET, "dbus.service": service("a") }),
      newFiles: unitFiles({}, { ...TARGET, "dbus.service": service("b") }),
      oldTarget: "multi-user.target",
      newTarget: "multi-user.target",
    });
    assert.deepEqual(result, NOTHING);
  });

  test("stops a target before the switch with X-StopOnReconfiguration and starts it again", () => {
    const files = { "a.target": "[Unit]\nX-StopOnReconfiguration=true\n" };
    assert.deepEqual(plan(files, files, running("a.target")), { ...NOTHING, stop: ["a.target"], start: ["a.target"] });
  });

  test("never starts a target of sleep", () => {
    assert.deepEqual(plan({}, { "suspend.target": "[Unit]\n", ...wanted("suspend.target") }, []), NOTHING);
  });

  test("does not start what refuses to be started by hand", () => {
    assert.deepEqual(plan({}, { "a.service": service("a", "RefuseManualStart=true\n"), ...wanted("a.service") }, []), NOTHING);
  });

  test("starts all that is wanted on a machine without an old generation", () => {
    const after = { "a.service": service("a"), "b.service": service("b"), ...wanted("a.service", "b.service") };
    assert.deepEqual(plan(undefined, after, running("b.service")), { ...NOTHING, start: ["a.service"] });
  });

  test("starts what a killed switch had stopped and not started", () => {
    const pending = { ...NOTHING, stop: ["a.service"], start: ["a.service"] };
    const result = plan({ "a.service": service("a") }, { "a.service": service("b") }, [{ name: "a.service", active: "inactive", sub: "dead" }], { pending });
    assert.deepEqual(result, { ...NOTHING, start: ["a.service"] });
  });

  test("forgets what a killed switch was to start when the generation has it no more", () => {
    const pending = { ...NOTHING, start: ["gone.service"], reload: ["gone2.service"] };
    assert.deepEqual(plan({}, {}, [], { pending }), NOTHING);
  });
});

test("wantedUnits follows what every boot reaches, not only the default target", () => {
  const files = unitFiles({ "timers.target": "[Unit]\n", "timers.target.wants/a.timer": "", "a.timer": "[Timer]\nOnBootSec=1\n", ...TARGET });
  assert.ok(wantedUnits(files, "multi-user.target").has("a.timer"));
});

test("fstabUnits names mount units as systemd does", () => {
  const units = fstabUnits("# comment\n/dev/sda1 / ext4 defaults 0 1\n/dev/sdb /srv/my\\040data ext4 noauto 0 2\n/swap none swap sw 0 0\n");
  assert.deepEqual(Object.keys(units).sort(), ["-.mount", "srv-my\\x20data.mount"]);
  assert.match(units["srv-my\\x20data.mount"]!, /^Where=\/srv\/my data$/m);
});
