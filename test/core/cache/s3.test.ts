import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { BinaryCache } from "../../../core/cache/binary-cache.ts";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { removeTree } from "../../../core/store/file-tree.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { startBucketServer, type BucketServer } from "./support/bucket-server.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-bucket-"));
after(() => removeTree(folder));

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret/with+signs", region: "eu-west-1" };
const ENVIRONMENT = { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey };
const settings = { ...plainFetchSettings, attempts: 1 };

const open = (server: BucketServer, place: string, environment: Readonly<Record<string, string>>, more = ""): Promise<BinaryCache> =>
  openBinaryCache(`s3://${place}?endpoint=${server.endpoint}&region=${KEYS.region}${more}`, { settings, environment });

test("a bucket is filled and read with signed requests", async () => {
  await using server = await startBucketServer(KEYS);
  await using source = await openLocalStore({ root: join(folder, "source") });
  // A name with a sign that is written otherwise in an address.
  const leaf = await source.addTextToStore("leaf+1", "a leaf", []);
  const top = await source.addTextToStore("top", "x".repeat(100_000), [leaf]);
  {
    await using cache = await open(server, "bucket/some/where", ENVIRONMENT, "&compression=none&write-nar-listing=1");
    assert.deepEqual((await copyPaths(source, cache, [top])).copied.length, 2);
  }
  assert.ok([...server.objects.keys()].every((path) => path.startsWith("/bucket/some/where/")), [...server.objects.keys()].join(" "));
  await using cache = await open(server, "bucket/some/where", ENVIRONMENT);
  await using target = await openLocalStore({ root: join(folder, "target") });
  await copyPaths(cache, target, [top]);
  assert.deepEqual((await target.getPathInfo(top)).narHash, (await source.getPathInfo(top)).narHash);
  assert.deepEqual(server.refusals, []);
});

test("keys come from a profile, with the token of a session", async () => {
  const session = { ...KEYS, sessionToken: "a+session/token==" };
  await using server = await startBucketServer(session);
  mkdirSync(join(folder, ".aws"));
  writeFileSync(join(folder, ".aws/credentials"), `[default]\naws_access_key_id = other\naws_secret_access_key = other\n[work]\naws_access_key_id = ${KEYS.accessKeyId}\naws_secret_access_key = ${KEYS.secretAccessKey}\naws_session_token = ${session.sessionToken}\n`);
  await using source = await openLocalStore({ root: join(folder, "source") });
  const path = await source.addTextToStore("text", "text", []);
  await using cache = await open(server, "bucket", { HOME: folder }, "&profile=work");
  await copyPaths(source, cache, [path]);
  assert.deepEqual(server.refusals, []);
  assert.equal(server.objects.size, 3);
});

test("another secret is refused, and no signature where one is asked for", async () => {
  await using server = await startBucketServer(KEYS);
  await using source = await openLocalStore({ root: join(folder, "source") });
  const path = await source.addTextToStore("text", "text", []);
  for (const environment of [{ ...ENVIRONMENT, AWS_SECRET_ACCESS_KEY: "wrong" }, {}]) {
    await using cache = await open(server, "bucket", environment);
    await assert.rejects(cache.info(), { code: "cache.not-a-cache" });
    await assert.rejects(copyPaths(source, cache, [path]), { code: "cache.unreachable", message: /answered 403/ });
  }
  assert.equal(server.objects.size, 0);
  assert.match(server.refusals.join("\n"), /nix-cache-info: the signature\n(.*\n)*.*: no signature/);
});
