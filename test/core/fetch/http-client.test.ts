import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { HttpClient } from "../../../core/fetch/http-client.ts";

async function withServer(answer: RequestListener, body: (url: string) => Promise<void>, host = "127.0.0.1"): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await body(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const options = { connections: 2, connectTimeout: 5_000, stallTimeout: 5_000 };

test("many requests wait for a few connections, each of which is used again", async () => {
  const sockets = new Set<unknown>();
  await withServer(
    (request, response) => {
      sockets.add(request.socket);
      response.end(request.url);
    },
    async (url) => {
      using client = new HttpClient(options);
      const texts = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => {
          const answer = await client.request({ method: "GET", url: new URL(`${url}/${n}?of=50`), headers: {} });
          return Buffer.from(await answer.whole(100)).toString();
        }),
      );
      assert.deepEqual(texts, Array.from({ length: 50 }, (_, n) => `/${n}?of=50`));
      assert.ok(sockets.size <= 2, `${sockets.size} connections`);
    },
  );
});

test("a signal ends all requests that heed it and no others", async () => {
  await withServer(
    (request, response) => {
      if (request.url === "/answered") setTimeout(() => response.end("yes"), 100);
    },
    async (url) => {
      using client = new HttpClient({ ...options, connections: 4 });
      const stop = new AbortController();
      const ask = (path: string, signal?: AbortSignal) => client.request({ method: "GET", url: new URL(`${url}/${path}`), headers: {}, signal });
      const stopped = [ask("a", stop.signal), ask("b", stop.signal)];
      const other = ask("answered");
      await sleep(20);
      stop.abort(new Error("no longer wanted"));
      for (const one of stopped) await assert.rejects(one, /no longer wanted/);
      assert.equal(Buffer.from(await (await other).whole(10)).toString(), "yes");
      await assert.rejects(ask("c", stop.signal), /no longer wanted/);
    },
  );
});

test("a server that says nothing, before its answer or within, is given up after the stall timeout", async () => {
  await withServer(
    (request, response) => {
      if (request.url === "/within") response.writeHead(200, { "content-length": "10" }).write("half");
    },
    async (url) => {
      using client = new HttpClient({ ...options, stallTimeout: 200 });
      await assert.rejects(client.request({ method: "GET", url: new URL(`${url}/never`), headers: {} }), /nothing came for 0.2 s/);
      const answer = await client.request({ method: "GET", url: new URL(`${url}/within`), headers: {} });
      await assert.rejects(answer.whole(100));
    },
  );
});

test("a reader that is slower than the stall timeout gets all", async () => {
  const size = 4 << 20;
  await withServer(
    (_, response) => response.end(Buffer.alloc(size)),
    async (url) => {
      using client = new HttpClient({ ...options, stallTimeout: 200 });
      const answer = await client.request({ method: "GET", url: new URL(url), headers: {} });
      let got = 0;
      let hasSlept = false;
      for await (const chunk of answer.body) {
        got += chunk.length;
        if (!hasSlept) await sleep(900);
        hasSlept = true;
      }
      assert.equal(got, size);
    },
  );
});

test("a redirect to another origin is followed without the password", async () => {
  await withServer(
    (request, response) => response.end(String(request.headers.authorization)),
    async (target) => {
      await withServer(
        (request, response) => response.writeHead(302, { location: request.url === "/away" ? `${target}/` : "/away" }).end(),
        async (url) => {
          using client = new HttpClient(options);
          const answer = await client.request({ method: "GET", url: new URL(`${url}/here`), headers: { authorization: "Basic secret" } });
          assert.equal(Buffer.from(await answer.whole(100)).toString(), "undefined");
        },
      );
    },
  );
});

test("a server with an IPv6 address is reached", async (t) => {
  try {
    await withServer(
      (_, response) => response.end("six"),
      async (url) => {
        using client = new HttpClient(options);
        assert.equal(Buffer.from(await (await client.request({ method: "GET", url: new URL(url), headers: {} })).whole(100)).toString(), "six");
      },
      "::1",
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRNOTAVAIL") throw error;
    t.skip("this machine has no IPv6");
  }
});

test("a small file comes with its body, without one where there is none, and says what broke it off", async () => {
  await withServer(
    (request, response) => {
      if (request.url === "/moved") response.writeHead(302, { location: "/there" }).end();
      else if (request.url === "/there") response.end("contents");
      else if (request.url === "/broken") {
        response.writeHead(200, { "content-length": "100" }).write("half");
        setTimeout(() => response.destroy(), 20);
      } else response.writeHead(404).end("nothing");
    },
    async (url) => {
      using client = new HttpClient(options);
      const get = (path: string, limit = 100) => client.requestWhole({ method: "GET", url: new URL(`${url}/${path}`), headers: {} }, limit);
      const moved = await get("moved");
      assert.deepEqual([moved.status, Buffer.from(moved.bytes!).toString(), moved.failure], [200, "contents", undefined]);
      assert.deepEqual(await get("absent"), { status: 404, bytes: undefined, failure: undefined });
      const broken = await get("broken");
      assert.equal(broken.status, 200);
      assert.equal(broken.bytes, undefined);
      assert.ok(broken.failure instanceof Error);
      assert.equal(((await get("there", 3)).failure as { code?: string }).code, "fetch.too-long");
    },
  );
});
