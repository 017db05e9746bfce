import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../evaluate-system.ts";

test("writes kernel parameters for the boot and for the switch alike", () => {
  const { etc, manifest } = evaluateSystem({ boot: { kernel: { sysctl: { "vm.swappiness": 60, "net.ipv4.tcp_syncookies": true, "net.ipv4.ip_forward": false, "kernel.core_pattern": "|/bin/false", "fs.file-max": null } } } });
  assert.equal(etc("sysctl.d/60-tsos.conf"), "kernel.core_pattern=|/bin/false\nnet.ipv4.ip_forward=0\nnet.ipv4.tcp_syncookies=1\nvm.swappiness=60\n");
  assert.deepEqual(manifest.sysctl, { "kernel.core_pattern": "|/bin/false", "net.ipv4.ip_forward": "0", "net.ipv4.tcp_syncookies": "1", "vm.swappiness": "60" });
});

test("rejects what is no parameter and a value of two lines", () => {
  assert.match(problemsOf({ boot: { kernel: { sysctl: { swappiness: 1 } } } }).join(), /boot\.kernel\.sysctl\."swappiness": "swappiness" is no kernel parameter/);
  assert.match(problemsOf({ boot: { kernel: { sysctl: { "a.b": "1\n2" } } } }).join(), /boot\.kernel\.sysctl/);
});
