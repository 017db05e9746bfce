import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../../evaluate-system.ts";

const rules = (firewall: object): readonly string[] => evaluateSystem({ networking: { firewall } }).etc("nftables.conf").split("\n").map((line) => line.trim());

test("drops what comes in but loopback, answers, ping and what IPv6 needs", () => {
  const { manifest, etc, unit } = evaluateSystem({});
  const text = etc("nftables.conf");
  assert.match(text, /^table inet tsos\ndelete table inet tsos\ntable inet tsos \{\n/);
  assert.match(text, /policy drop;\n {4}iifname \{ "lo" \} accept/);
  assert.match(text, /icmp type echo-request accept/);
  assert.match(text, /icmpv6 type != \{ nd-redirect, 139 \} accept/);
  assert.doesNotMatch(text, /dport \{/);
  assert.equal(manifest.firewall!.ruleset, manifest.etc.find(({ target }) => target === "nftables.conf")!.source);
  assert.ok(unit("firewall.service").includes(`ExecStart=/usr/sbin/nft -f ${manifest.firewall!.ruleset}\n`));
});

test("opens ports and ranges, of which none overlap", () => {
  const found = rules({ allowedTCPPorts: [443, 22, 80, 85, 22], allowedTCPPortRanges: [{ from: 81, to: 90 }, { from: 88, to: 100 }, { from: 7, to: 7 }], allowedUDPPorts: [53] });
  assert.ok(found.includes("tcp dport { 7, 22, 80, 81-100, 443 } accept"), found.join("\n"));
  assert.ok(found.includes("udp dport { 53 } accept"));
});

test("opens a port on one interface and everything on a trusted one", () => {
  const found = rules({ interfaces: { eth1: { allowedTCPPorts: [9100] } }, trustedInterfaces: ["wg0"] });
  assert.ok(found.includes('iifname "eth1" tcp dport { 9100 } accept'));
  assert.ok(found.some((rule) => rule.startsWith('iifname { "lo", "wg0" } accept')));
});

test("rejects, logs, limits and forwards where that is asked for", () => {
  const found = rules({ rejectPackets: true, logRefusedPackets: true, pingLimit: "1/second", checkReversePath: true, filterForward: true, extraForwardRules: "iifname wg0 accept", extraInputRules: "tcp dport 24 accept\n" }).join("\n");
  assert.match(found, /reject with tcp reset\nreject/);
  assert.match(found, /pkttype host log level info prefix "refused packet: "/);
  assert.match(found, /echo-request limit rate 1\/second accept/);
  assert.match(found, /fib saddr \. mark \. iif oif exists accept/);
  assert.match(found, /hook forward [^]*iifname wg0 accept/);
  assert.match(found, /chain input-allow [^]*tcp dport 24 accept\n\}/);
});

test("leaves the network alone when it is disabled", () => {
  const { manifest, units } = evaluateSystem({ networking: { firewall: { enable: false } } });
  assert.equal(manifest.firewall, null);
  assert.equal(units.get("firewall.service"), undefined);
});

test("rejects ranges that end before they begin and names of no interface", () => {
  const problems = problemsOf({ networking: { firewall: { interfaces: { 'a"b': { allowedUDPPortRanges: [{ from: 5, to: 1 }] } }, trustedInterfaces: ["sixteen-letters-"] } } });
  assert.equal(problems.length, 3, problems.join("\n"));
  assert.match(problems[0]!, /^networking\.firewall\.interfaces: "a"b" cannot be the name of a network interface/);
  assert.match(problems[1]!, /^networking\.firewall\.trustedInterfaces/);
  assert.match(problems[2]!, /allowedUDPPortRanges: the range from 5 to 1 ends before it begins/);
  assert.match(problemsOf({ networking: { firewall: { allowedTCPPorts: [70000] } } }).join(), /"networking\.firewall\.allowedTCPPorts\[0\]".*70000/);
});
