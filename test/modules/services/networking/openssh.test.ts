import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../../evaluate-system.ts";

const lines = (openssh: object): readonly string[] => evaluateSystem({ services: { openssh: { enable: true, ...openssh } } }).etc("ssh/sshd_config").split("\n");

test("serves on port 22 with two host keys and the keys of the options", () => {
  const found = lines({});
  for (const line of ["Port 22", "HostKey /etc/ssh/ssh_host_rsa_key", "HostKey /etc/ssh/ssh_host_ed25519_key", "UsePAM yes", "PermitRootLogin prohibit-password", "AuthorizedKeysFile %h/.ssh/authorized_keys /etc/ssh/authorized_keys.d/%u", "Subsystem sftp /usr/lib/openssh/sftp-server"]) {
    assert.ok(found.includes(line), `${line}\n${found.join("\n")}`);
  }
});

test("writes keywords with their lists as sshd reads them", () => {
  const found = lines({ settings: { PasswordAuthentication: false, PermitRootLogin: "no", AllowUsers: ["ada", "bob"], Ciphers: ["aes256-ctr", "aes128-ctr"], MaxAuthTries: 3, PrintMotd: null, DenyUsers: [] }, authorizedKeysInHomedir: false, allowSFTP: false });
  for (const line of ["PasswordAuthentication no", "PermitRootLogin no", "AllowUsers ada bob", "Ciphers aes256-ctr,aes128-ctr", "MaxAuthTries 3", "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u"]) assert.ok(found.includes(line), line);
  for (const word of ["PrintMotd", "DenyUsers", "Subsystem"]) assert.ok(!found.some((line) => line.startsWith(word)), word);
});

test("puts further lines last, where a Match block takes in nothing else", () => {
  const found = lines({ extraConfig: "Match User ada\n  X11Forwarding yes\n" }).filter((line) => line !== "");
  assert.deepEqual(found.slice(-2), ["Match User ada", "  X11Forwarding yes"]);
});

test("listens where it is told and opens the firewall there", () => {
  const { config, etc } = evaluateSystem({ services: { openssh: { enable: true, ports: [2222], listenAddresses: [{ addr: "::1", port: 22 }, { addr: "192.0.2.1" }] } } });
  assert.match(etc("ssh/sshd_config"), /^Port 2222\nListenAddress \[::1\]:22\nListenAddress 192\.0\.2\.1$/m);
  assert.deepEqual(config.networking.firewall.allowedTCPPorts, [2222, 22]);
  assert.deepEqual(evaluateSystem({ services: { openssh: { enable: true, openFirewall: false } } }).config.networking.firewall.allowedTCPPorts, []);
});

test("makes host keys once, in place of what the OS root would do at a first boot", () => {
  const { unit, text } = evaluateSystem({ services: { openssh: { enable: true } } });
  const dropIn = unit("sshd-keygen.service.d/overrides.conf");
  assert.match(dropIn, /^ConditionFileNotEmpty=\nConditionFileNotEmpty=\|!\/etc\/ssh\/ssh_host_rsa_key$/m);
  const script = text(/^ExecStart=\nExecStart=(.*)$/m.exec(dropIn)![1]!);
  assert.match(script, /ssh-keygen -q -t rsa -b 4096 -f "\/etc\/ssh\/ssh_host_rsa_key" -N ""/);
  assert.match(unit("sshd.service"), /^Wants=sshd-keygen\.service$/m);
});

test("rejects keywords that sshd does not know, and their wrong values", () => {
  assert.match(problemsOf({ services: { openssh: { enable: true, settings: { PermitRootLogn: "no" } } } } as never).join(), /"services\.openssh\.settings\.PermitRootLogn" does not exist/);
  assert.match(problemsOf({ services: { openssh: { enable: true, settings: { PermitRootLogin: "maybe" } } } } as never).join(), /"services\.openssh\.settings\.PermitRootLogin" must be .*"prohibit-password".*got "maybe"/);
  assert.match(problemsOf({ services: { openssh: { enable: true, hostKeys: [{ type: "ed25519", path: "/k", bits: 3 }] } } }).join(), /services\.openssh\.hostKeys: "\/k" has bits = 3; ed25519 keys have one length/);
  assert.match(problemsOf({ services: { openssh: { enable: true, ports: [] } } }).join(), /services\.openssh\.ports is empty/);
});
