import assert from "node:assert/strict";
import { test } from "node:test";
import { loadFetchSettings, parseMirrors } from "../../../core/fetch/load-fetch-settings.ts";
import { resolveUrls } from "../../../core/fetch/resolve-urls.ts";

function machine(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  return {
    readFile: async (path: string) => files[path],
    listFolder: async (path: string) => Object.keys(files).filter((file) => file.startsWith(`${path}/`)).map((file) => file.slice(path.length + 1)),
    env: { HOME: "/home/a", ...env },
    execPath: "/opt/node/bin/node",
  };
}

test("takes Debian's mirrors from both forms of apt's sources", async () => {
  const { mirrors } = await loadFetchSettings(
    machine({
      "/etc/apt/sources.list": "# deb http://no.example/debian x main\ndeb [arch=amd64 signed-by=/k] http://one.example/debian/ bookworm main\ndeb http://one.example/debian-security x main\ndeb-src http://src.example/debian x main\n",
      "/etc/apt/sources.list.d/a.sources": "Types: deb\n# a comment\nURIs: https://two.example/debian\n https://three.example/mirror/debian/\nSuites: bookworm\n\nTypes: deb\nEnabled: no\nURIs: http://off.example/debian\n\nTypes: deb-src\nURIs: http://src.example/debian\n",
      "/etc/apt/sources.list.d/old.save": "deb http://saved.example/debian x main\n",
    }),
  );
  assert.deepEqual(mirrors["debian"], ["http://one.example/debian", "https://two.example/debian", "https://three.example/mirror/debian"]);
});

test("takes npm's registry from the environment, then the user's file, then the machine's", async () => {
  const files = {
    "/home/a/.npmrc": "//x.example/:_authToken=secret\nregistry = https://user.example/${TEAM}/\n",
    "/opt/node/etc/npmrc": "registry=https://machine.example\n",
  };
  const registry = async (given: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) => (await loadFetchSettings(machine(given, env))).mirrors["npm"];
  assert.deepEqual(await registry(files, { npm_config_registry: "https://env.example/" }), ["https://env.example"]);
  assert.deepEqual(await registry(files, { TEAM: "core" }), ["https://user.example/core"]);
  assert.deepEqual(await registry({ "/opt/node/etc/npmrc": files["/opt/node/etc/npmrc"] }, {}), ["https://machine.example"]);
});

test("asks npm's own table of settings where no registry is set", async () => {
  const definitions = "lib/node_modules/npm/node_modules/@npmcli/config/lib/definitions/definitions.js";
  const forms = [
    "registry: new Definition('registry', {\n    default: 'https://default.example/',\n    type: url,",
    "define('registry', {\n  default: `https://default.example/`,\n  type: url,",
  ];
  for (const text of forms) {
    assert.deepEqual((await loadFetchSettings(machine({ [`/opt/node/${definitions}`]: text }))).mirrors["npm"], ["https://default.example"]);
  }
});

test("lets the settings file and TSOS_MIRRORS override the machine", async () => {
  const files = {
    "/etc/apt/sources.list": "deb http://apt.example/debian x main\n",
    "/home/a/.config/tsos/settings.json": `{ "mirrors": { "debian": ["http://file.example/debian"], "npm": "https://npm.example/" } }`,
  };
  assert.deepEqual((await loadFetchSettings(machine(files))).mirrors, { debian: ["http://file.example/debian"], npm: ["https://npm.example"] });
  const env = { TSOS_MIRRORS: "debian=file:///media/debian debian=http://env.example/debian" };
  assert.deepEqual((await loadFetchSettings(machine(files, env))).mirrors["debian"], ["file:///media/debian", "http://env.example/debian"]);
});

test("rejects a mirror that is no URL", async () => {
  assert.throws(() => parseMirrors("debian=mirror.example"), { code: "fetch.bad-mirrors" });
  assert.throws(() => parseMirrors("http://mirror.example"), { code: "fetch.bad-mirrors" });
  await assert.rejects(loadFetchSettings(machine({ "/etc/tsos/settings.json": "{" })), { code: "fetch.bad-mirrors" });
});

test("reads the proxies of the environment", async () => {
  const { proxies } = await loadFetchSettings(machine({}, { HTTPS_PROXY: "http://proxy.example:3128", no_proxy: "localhost" }));
  assert.deepEqual(proxies, { https: "http://proxy.example:3128", no: "localhost" });
});

test("resolves a mirror's URL to each of its mirrors", () => {
  const mirrors = { debian: ["http://a.example/debian", "http://b.example/debian"] };
  assert.deepEqual(resolveUrls("mirror://debian/pool/x.deb", { mirrors }), ["http://a.example/debian/pool/x.deb", "http://b.example/debian/pool/x.deb"]);
  assert.deepEqual(resolveUrls("https://c.example/x", { mirrors }), ["https://c.example/x"]);
  assert.throws(() => resolveUrls("mirror://npm/x", { mirrors }), { code: "fetch.no-mirror", message: /"npm"/ });
});
