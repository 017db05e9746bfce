import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { lookupLifetimes, spaceLimits, withTransferSettings } from "../../../cli/nix/transfer-settings.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { NixConfiguration } from "../../../core/interop/nix-configuration.ts";
import { shellDerivation, startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());

function configured(values: Readonly<Record<string, string>>): NixConfiguration {
  const settings = new NixConfiguration();
  for (const [name, value] of Object.entries(values)) settings.set(name, value);
  return settings;
}

test("transfers keep the limits of nix.conf, and tsos's own where it has none", () => {
  assert.deepEqual(withTransferSettings(plainFetchSettings, configured({})), plainFetchSettings);
  const settings = configured({ "connect-timeout": "3", "stalled-download-timeout": "0", "download-attempts": "0", "http-connections": "7" });
  const { connectTimeout, stallTimeout, attempts, connections } = withTransferSettings(plainFetchSettings, settings);
  assert.deepEqual([connectTimeout, stallTimeout, attempts, connections], [3000, 86_400_000, 1, 7]);
});

test("answers of caches hold as long as nix.conf says", () => {
  assert.deepEqual(lookupLifetimes(configured({})), {});
  assert.deepEqual(lookupLifetimes(configured({ "narinfo-cache-negative-ttl": "0", "narinfo-cache-positive-ttl": "60" })), { found: 60, absent: 0 });
});

test("garbage is collected between min-free and max-free", () => {
  assert.equal(spaceLimits(configured({ "max-free": "1G" })), undefined);
  assert.deepEqual(spaceLimits(configured({ "min-free": "1K", "max-free": "1M" })), { minFree: 1024, maxFree: 1 << 20 });
  assert.deepEqual(spaceLimits(configured({ "min-free": "1K" })), { minFree: 1024, maxFree: Number.MAX_SAFE_INTEGER });
});

test("a build makes room by collecting, and shares equal files, where the settings say so", () => {
  const garbage = trial.run("store", "--add", process.execPath).stdout.trim();
  assert.ok(statSync(garbage).isFile());
  const expression = shellDerivation("twins", "mkdir $out; for i in 1 2; do echo same > $out/$i; done", 'PATH = "/bin:/usr/bin";');
  const result = trial.run("build", "--no-out-link", "-E", expression, "--option", "min-free", "4000T", "--option", "auto-optimise-store", "true");
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /collecting garbage/);
  assert.equal(readdirSync(trial.env["NIX_STORE_DIR"]!).some((name) => garbage.endsWith(name)), false);
  // The link of `.links` is the third.
  assert.equal(statSync(join(result.stdout.trim(), "1")).nlink, 3);
});
