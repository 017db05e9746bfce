import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { runHealthChecks } from "../../../../core/system/activate/health-check.ts";
import type { HealthCheck } from "../../../../core/system/manifest.ts";

describe("runHealthChecks", () => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    if (request.url === "/late") response.statusCode = asked < 3 ? 503 : 200;
    if (request.url === "/bad") response.statusCode = 500;
    response.end("hello");
  });
  let port: number;
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  const http = (path: string, more: { readonly contains?: string; readonly status?: number } = {}): HealthCheck => ({ name: path, timeoutSeconds: 1, kind: "http", url: `http://127.0.0.1:${port}${path}`, ...more });

  test("accepts an answer below 400, and the status and text that are asked for", async () => {
    assert.deepEqual(await runHealthChecks([http("/"), http("/", { contains: "ell" }), http("/bad", { status: 500 })]), []);
  });

  test("tries again until it holds", async () => {
    asked = 0;
    assert.deepEqual(await runHealthChecks([http("/late")]), []);
    assert.equal(asked, 3);
  });

  test("says why an answer is not the right one", async () => {
    assert.deepEqual((await runHealthChecks([http("/bad"), http("/", { contains: "nothing" })])).map((one) => one.reason.replace(/:\d+/, "")), [
      "http://127.0.0.1/bad answers with status 500",
      'the answer of http://127.0.0.1/ lacks "nothing"',
    ]);
  });

  test("knows ports and commands", async () => {
    const checks: readonly HealthCheck[] = [
      { name: "open", timeoutSeconds: 1, kind: "tcp", host: "127.0.0.1", port },
      { name: "closed", timeoutSeconds: 0, kind: "tcp", host: "127.0.0.1", port: 1 },
      { name: "true", timeoutSeconds: 1, kind: "command", command: ["true"] },
      { name: "false", timeoutSeconds: 0, kind: "command", command: ["sh", "-c", "echo why; exit 3"] },
    ];
    const failed = await runHealthChecks(checks);
    assert.deepEqual(failed.map((one) => one.name), ["closed", "false"]);
    assert.match(failed[1]!.reason, /ended with 3: why/);
  });
});
