import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCgroups } from "../../../core/system/machine-cgroup.ts";

test("finds the unified hierarchy alone", () => {
  assert.deepEqual(parseCgroups("0::/user.slice/a.scope\n", "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"), [{ mountPoint: "/sys/fs/cgroup", path: "/user.slice/a.scope", isUnified: true }]);
});

test("finds named, joined and unified hierarchies beside each other", () => {
  const mounts = [
    "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0",
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0",
    "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0",
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0",
  ].join("\n");
  assert.deepEqual(
    parseCgroups("4:name=systemd:/\n3:cpu,cpuacct:/a\n2:cpuset:/\n1:pids:/\n0::/u:x\n", mounts).map((one) => `${one.mountPoint} ${one.path}`),
    ["/sys/fs/cgroup/systemd /", "/sys/fs/cgroup/cpu,cpuacct /a", "/sys/fs/cgroup/cpuset /", "/sys/fs/cgroup/unified /u:x"],
  );
});
