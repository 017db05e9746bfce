import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../../evaluate-system.ts";

test("writes a service with its keys, its PATH and the link that starts it", () => {
  const { unit, units, script } = evaluateSystem(({ pkgs }) => ({
    systemd: {
      services: {
        app: {
          description: "App",
          wantedBy: ["multi-user.target"],
          after: ["network.target", "dbus.service"],
          requires: ["dbus.service"],
          path: [pkgs.bash],
          environment: { TEXT: 'a "b" \\ $c', HOME: "%S/app", ON: true, N: 3 },
          preStart: "echo before",
          script: "exec app \"$1\" 100%",
          scriptArgs: "%n",
          serviceConfig: { Restart: "on-failure", RestartSec: 5, ExecStartPre: ["/usr/bin/true"], NoNewPrivileges: true, User: null },
        },
      },
    },
  }));
  const text = unit("app.service");
  assert.match(text, /^\[Unit\]\nDescription=App\nRequires=dbus\.service\nAfter=network\.target dbus\.service\n/);
  assert.match(text, /^Environment="TEXT=a \\"b\\" \\\\ \$c"$/m);
  assert.match(text, /^Environment="HOME=%S\/app"$/m);
  assert.match(text, /^Environment="ON=1"$/m);
  assert.match(text, /^Environment="PATH=\/nix\/store\/[^/]+\/bin:\/nix\/store\/[^/]+\/sbin:\/usr\/bin:\/usr\/sbin"$/m);
  assert.match(text, /^ExecStartPre=\/nix\/store\/\S+-pre-start\nExecStartPre=\/usr\/bin\/true$/m);
  assert.match(text, /^ExecStart=\/nix\/store\/\S+-start %n$/m);
  assert.match(text, /^NoNewPrivileges=true$/m);
  assert.doesNotMatch(text, /^User=/m);
  assert.match(script("app.service", "ExecStart"), /^#!\/nix\/store\/\S+\/bin\/bash\nset -e\nexec app "\$1" 100%\n$/);
  assert.deepEqual(units.get("multi-user.target.wants/app.service"), { path: "multi-user.target.wants/app.service", kind: "symlink", target: "../app.service" });
});

test("adds to a unit that the OS root has instead of replacing it", () => {
  const { unit, units } = evaluateSystem({ systemd: { services: { "systemd-logind": { wantedBy: ["multi-user.target"], serviceConfig: { Restart: "always" } } } } });
  assert.equal(unit("systemd-logind.service.d/overrides.conf"), "[Service]\nRestart=always\n");
  assert.equal(units.get("systemd-logind.service"), undefined);
  assert.equal(linkTarget(units, "multi-user.target.wants/systemd-logind.service"), "/usr/lib/systemd/system/systemd-logind.service");
});

test("replaces a unit of the OS root where that is asked for", () => {
  const { unit, units } = evaluateSystem({ systemd: { services: { "systemd-logind": { overrideStrategy: "replace", wantedBy: ["multi-user.target"], script: "exec sleep 1" } } } });
  assert.match(unit("systemd-logind.service"), /^ExecStart=\/nix\/store\/\S+-start$/m);
  assert.equal(linkTarget(units, "multi-user.target.wants/systemd-logind.service"), "../systemd-logind.service");
});

test("adds to one instance of a template of the OS root", () => {
  const { unit, units } = evaluateSystem({ systemd: { services: { "getty@tty1": { wantedBy: ["getty.target"], serviceConfig: { TTYVTDisallocate: false } } } } });
  assert.equal(unit("getty@tty1.service.d/overrides.conf"), "[Service]\nTTYVTDisallocate=false\n");
  assert.equal(linkTarget(units, "getty.target.wants/getty@tty1.service"), "/usr/lib/systemd/system/getty@.service");
});

test("wants an instance of a declared template through the template", () => {
  const { unit, units } = evaluateSystem({ systemd: { services: { "foo@": { script: "echo" }, "foo@one": { overrideStrategy: "asDropin", wantedBy: ["multi-user.target"] } } } });
  assert.match(unit("foo@.service"), /^ExecStart=/m);
  assert.equal(linkTarget(units, "multi-user.target.wants/foo@one.service"), "../foo@.service");
});

test("masks what is disabled, also a unit of the OS root, and starts nothing for it", () => {
  const { units } = evaluateSystem({ systemd: { services: { app: { enable: false, script: "x", wantedBy: ["multi-user.target"], startAt: "daily" }, "systemd-pstore": { enable: false } } } });
  assert.equal(linkTarget(units, "app.service"), "/dev/null");
  assert.equal(linkTarget(units, "systemd-pstore.service"), "/dev/null");
  assert.deepEqual([...units.keys()].filter((path) => path.includes("/app.") || path === "app.timer"), []);
});

test("masks the units that would write beside the activator", () => {
  const { units } = evaluateSystem({});
  for (const name of ["systemd-sysusers", "systemd-firstboot", "ldconfig", "systemd-update-done"]) assert.equal(linkTarget(units, `${name}.service`), "/dev/null");
});

test("makes a timer of startAt and joins it with a timer of the same name", () => {
  const { unit, units } = evaluateSystem({ systemd: { services: { app: { script: "x", startAt: ["daily", "Sun 14:00"] } }, timers: { app: { timerConfig: { Persistent: true } } } } });
  assert.equal(unit("app.timer"), "[Timer]\nOnCalendar=daily\nOnCalendar=Sun 14:00\nPersistent=true\n");
  assert.equal(linkTarget(units, "timers.target.wants/app.timer"), "../app.timer");
});

test("gives a oneshot service all of its commands", () => {
  const { unit } = evaluateSystem({ systemd: { services: { app: { serviceConfig: { Type: "oneshot", ExecStart: ["/usr/bin/true", "/usr/bin/false"] } } } } });
  assert.match(unit("app.service"), /^ExecStart=\/usr\/bin\/true\nExecStart=\/usr\/bin\/false$/m);
});

test("tells the activator what a change means", () => {
  const { unit, text } = evaluateSystem({
    systemd: { services: { app: { script: "x", restartIfChanged: false, stopIfChanged: false, reloadIfChanged: true, notSocketActivated: true, restartTriggers: ["a", "b"], reloadTriggers: ["two\nlines"] } } },
  });
  const unitText = unit("app.service");
  for (const line of ["X-Restart-Triggers=a b", "X-RestartIfChanged=false", "X-StopIfChanged=false", "X-ReloadIfChanged=true", "X-NotSocketActivated=true"]) assert.ok(unitText.split("\n").includes(line), line);
  assert.equal(text(/^X-Reload-Triggers=(.*)$/m.exec(unitText)![1]!), "two\nlines");
});

test("writes sockets, paths, slices, targets, mounts and aliases", () => {
  const { unit, units } = evaluateSystem({
    systemd: {
      services: { app: { script: "x", aliases: ["other.service"] } },
      sockets: { app: { listenStreams: ["80", "/run/app.sock"] } },
      paths: { app: { pathConfig: { PathChanged: "/run/x" } } },
      slices: { app: { sliceConfig: { MemoryMax: "1G" } } },
      targets: { app: { description: "All" } },
      mounts: [{ what: "tmpfs", where: "/mnt/a-b c", type: "tmpfs", options: "size=1M" }],
      defaultUnit: "app.target",
    },
  });
  assert.equal(unit("app.socket"), "[Socket]\nListenStream=80\nListenStream=/run/app.sock\n");
  assert.equal(unit("app.path"), "[Path]\nPathChanged=/run/x\n");
  assert.equal(unit("app.slice"), "[Slice]\nMemoryMax=1G\n");
  assert.equal(unit("app.target"), "[Unit]\nDescription=All\n");
  assert.equal(unit("mnt-a\\x2db\\x20c.mount"), "[Mount]\nWhat=tmpfs\nWhere=/mnt/a-b c\nType=tmpfs\nOptions=size=1M\n");
  assert.equal(linkTarget(units, "other.service"), "app.service");
  assert.equal(linkTarget(units, "default.target"), "app.target");
});

test("says what systemd would refuse, all at once and with the option's name", () => {
  const problems = problemsOf({
    systemd: {
      services: {
        "a b": { script: "x" },
        empty: {},
        two: { serviceConfig: { ExecStart: ["/a", "/b"] } },
        forever: { script: "x", serviceConfig: { Type: "oneshot", Restart: "always" } },
        typo: { serviceConfig: { Type: "onshot", ExecStart: "/x" } },
        variable: { script: "x", environment: { "A B": "x" } },
        lines: { script: "x", serviceConfig: { Foo: "a\nb" } },
        "x.service": { script: "x" },
        alias: { script: "x", aliases: ["y.socket"] },
        "t@": { script: "x", wantedBy: ["multi-user.target"] },
      },
      timers: { never: {} },
      mounts: [{ what: "x", where: "y" }],
    },
  });
  const expected = [
    /^systemd\.services\."a b": "a b" cannot be the name of a unit/,
    /^systemd\.services\.alias: aliases: "y\.socket" must end in "\.service" too/,
    /^systemd\.services\.empty: has nothing to run; set script or serviceConfig\.ExecStart/,
    /^systemd\.services\.forever: serviceConfig\.Restart = "always" does not go with Type = "oneshot"/,
    /^systemd\.services\.lines: the value of "Foo" has a line break/,
    /^systemd\.services\."t@": wantedBy: a template runs only as an instance/,
    /^systemd\.services\.two: serviceConfig\.ExecStart has 2 commands/,
    /^systemd\.services\.typo: serviceConfig\.Type = "onshot" is not one of/,
    /^systemd\.services\.variable: environment: "A B" cannot be the name of a variable/,
    /^systemd\.services\."x\.service": write the name without its suffix: "x"/,
    /^systemd\.timers\.never: timerConfig says no time/,
    /^systemd\.mounts: "y": the mount point is not an absolute path/,
  ];
  assert.equal(problems.length, expected.length, problems.join("\n"));
  for (const pattern of expected) assert.ok(problems.some((problem) => pattern.test(problem)), `${pattern}\n${problems.join("\n")}`);
});

test("rejects a unit's name without its suffix where another unit is named", () => {
  assert.match(problemsOf({ systemd: { services: { a: { script: "x", after: ["network"] } } } }).join(), /"systemd\.services\.a\.after\[0\]".*got "network"/);
});

function linkTarget(units: ReturnType<typeof evaluateSystem>["units"], path: string): string | undefined {
  const entry = units.get(path);
  return entry?.kind === "symlink" ? entry.target : undefined;
}
