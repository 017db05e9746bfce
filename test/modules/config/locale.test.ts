import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../evaluate-system.ts";

test("leaves the time zone to the machine unless one is set", () => {
  assert.equal(evaluateSystem({}).manifest.timeZone, null);
  const { manifest } = evaluateSystem({ time: { timeZone: "Europe/Berlin" }, i18n: { defaultLocale: "C" } });
  assert.deepEqual([manifest.timeZone, manifest.locale], ["Europe/Berlin", "C"]);
});

test("rejects a time zone that does not exist and names the one that was meant", () => {
  for (const name of ["Berlin", "Europe/berlin", "Europa/Berlin", "Europe/Berln"]) {
    assert.match(problemsOf({ time: { timeZone: name } }).join(), /^time\.timeZone: there is no time zone ".*"; did you mean "Europe\/Berlin"\?$/, name);
  }
  assert.match(problemsOf({ time: { timeZone: "CEST" } }).join(), /it is an area and a city/);
});

test("rejects a locale that the OS root does not have", () => {
  assert.match(problemsOf({ i18n: { defaultLocale: "de_DE.UTF-8" } }).join(), /^i18n\.defaultLocale: the OS root has no locale "de_DE\.UTF-8"/);
});
