import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../evaluate-system.ts";

test("writes fstab with blanks in octal and a check for what fsck knows", () => {
  const { etc } = evaluateSystem({
    fileSystems: {
      "/": { label: "root disk", fsType: "ext4", autoResize: true },
      "/data dir": { device: "/dev/vdb", fsType: "ext4", options: ["noatime", "nofail"] },
      "/tmp": { fsType: "tmpfs", options: ["size=1G"] },
      "/srv": { device: "/data dir/srv", options: ["bind"], depends: ["/data dir"] },
      "/net": { device: "server:/export", fsType: "nfs" },
      "/boot": { device: "/dev/vda1", fsType: "vfat", neededForBoot: true, noCheck: true },
    },
    swapDevices: [{ device: "/swap" }],
  });
  assert.equal(
    etc("fstab"),
    [
      "LABEL=root\\040disk / ext4 defaults,x-systemd.growfs 0 1",
      "/dev/vda1 /boot vfat defaults,x-initrd.mount 0 0",
      "/dev/vdb /data\\040dir ext4 noatime,nofail 0 2",
      "server:/export /net nfs defaults 0 0",
      "/data\\040dir/srv /srv auto bind,x-systemd.requires-mounts-for=/data\\040dir 0 0",
      "tmpfs /tmp tmpfs size=1G 0 0",
      "/swap none swap defaults 0 0",
      "",
    ].join("\n"),
  );
});

test("rejects what could not be mounted", () => {
  const problems = problemsOf({ fileSystems: { data: { device: "/dev/x" }, "/a/": { device: "/x", label: "y" }, "/b": {}, "/c": { mountPoint: "/b", device: "/x" } } });
  assert.deepEqual([...problems].sort(), [
    'fileSystems."/a/" has both "device" and "label"',
    'fileSystems."/a/": write the mount point "/a/" without "//", ".", ".." or a slash at its end',
    'fileSystems."/b" needs "device" or "label"',
    'fileSystems."/c" and fileSystems."/b" are both mounted on "/b"',
    'fileSystems."data": the mount point "data" is not an absolute path',
  ]);
});
