import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../evaluate-system.ts";

test("names the machine in /etc/hosts, with its domain first", () => {
  const { etc, manifest } = evaluateSystem({ networking: { hostName: "web-1", domain: "example.org", hosts: { "192.0.2.2": ["db.example.org", "db"], "2001:db8::2": ["six"] }, nameservers: ["192.0.2.53"] } });
  assert.equal(etc("hosts"), "127.0.0.1 localhost\n::1 localhost\n127.0.0.2 web-1.example.org web-1\n192.0.2.2 db.example.org db\n2001:db8::2 six\n");
  assert.equal(etc("resolv.conf"), "nameserver 192.0.2.53\n");
  assert.equal(manifest.hostName, "web-1");
});

test("leaves the resolver's file alone where no server is named", () => {
  assert.ok(!evaluateSystem({}).manifest.etc.some(({ target }) => target === "resolv.conf"));
});

test("rejects host names, addresses and servers that are none", () => {
  for (const hostName of ["-a", "a.b", "a_", "a".repeat(64), "ä"]) assert.match(problemsOf({ networking: { hostName } }).join(), /"networking\.hostName"/, hostName);
  assert.match(problemsOf({ networking: { hosts: { db: ["192.0.2.2"] } } }).join(), /networking\.hosts\."db": "db" is no address/);
  assert.match(problemsOf({ networking: { nameservers: ["dns.example"] } }).join(), /"networking\.nameservers\[0\]"/);
});
