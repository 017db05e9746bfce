import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeUnitPath, parseUnitFile, templateOf, unitBoolean, unitValues } from "../../../../core/system/activate/unit-file.ts";
import { parseUnitList } from "../../../../core/system/activate/system-manager.ts";

test("parseUnitFile joins sections and drop-ins in order", () => {
  const unit = parseUnitFile("[Service]\nExecStart=/a\n[Unit]\nAfter=x\n[Service]\nNice=1\n", "[Service]\nExecStart=\nExecStart=/b\n");
  assert.deepEqual(unitValues(unit, "Service", "ExecStart"), ["/b"]);
  assert.deepEqual(unitValues(unit, "Service", "Nice"), ["1"]);
});

test("parseUnitFile keeps what follows the first equals sign", () => {
  assert.deepEqual(unitValues(parseUnitFile("[Service]\nEnvironment=A=b=c\n"), "Service", "Environment"), ["A=b=c"]);
});

test("parseUnitFile skips a comment inside a continued line", () => {
  assert.deepEqual(unitValues(parseUnitFile("[Service]\nExecStart=/a \\\n# no\n  b\n"), "Service", "ExecStart"), ["/a b"]);
});

test("unitBoolean knows systemd's words and falls back for others", () => {
  const unit = parseUnitFile("[Unit]\nA=yes\nB=off\nC=maybe\n");
  assert.deepEqual(["A", "B", "C", "D"].map((key) => unitBoolean(unit, "Unit", key, true)), [true, false, true, true]);
});

test("templateOf finds the template of an instance only", () => {
  assert.deepEqual(["a@b.service", "a@.service", "a.service", "a@b@c.service"].map(templateOf), ["a@.service", undefined, undefined, "a@.service"]);
});

test("escapeUnitPath escapes as systemd does", () => {
  assert.deepEqual(["/", "/srv/a-b", "//x//", "/.hidden", "/ü"].map(escapeUnitPath), ["-", "srv-a\\x2db", "x", "\\x2ehidden", "\\xc3\\xbc"]);
});

test("parseUnitList reads systemctl's columns", () => {
  assert.deepEqual(parseUnitList("a.service loaded active running A thing\n  b.socket not-found inactive dead b.socket\n\n"), [
    { name: "a.service", active: "active", sub: "running" },
    { name: "b.socket", active: "inactive", sub: "dead" },
  ]);
});
