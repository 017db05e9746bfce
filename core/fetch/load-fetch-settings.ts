import { dirname, join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { plainFetchSettings } from "./fetch-settings.ts";
import type { FetchProxies, FetchSettings } from "./fetch-settings.ts";
import { parseAptSources } from "./apt-sources.ts";
import { parseAccessTokens, parseNetrc, type NetrcEntry } from "./source/credentials.ts";
import { findConfigHome, settingsFiles } from "./settings-files.ts";
import { hostSettingsMachine, type SettingsMachine } from "./settings-machine.ts";
import { parseNpmrc, parseNpmDefaultRegistry } from "./npmrc.ts";

/**
 * The mirrors that this machine already uses, and the proxies of its environment. `mirrors.debian` are the
 * base URLs of apt's sources that end in `/debian`; `mirrors.npm` is npm's registry. A settings file
 * (`/etc/tsos/settings.json`, then the user's own) and `TSOS_MIRRORS` come before them:
 *
 * @example
 * TSOS_MIRRORS="debian=http://mirror.example/debian npm=https://npm.example"
 *
 * @throws TsosError `fetch.bad-mirrors` when a setting cannot be read.
 */
export async function loadFetchSettings(machine: Partial<SettingsMachine> = {}): Promise<FetchSettings> {
  const source: SettingsMachine = { ...hostSettingsMachine(), ...machine };
  const { env } = source;
  const [debian, npm] = await Promise.all([findDebianMirrors(source), findNpmRegistry(source)]);
  const mirrors: Record<string, readonly string[]> = { debian, npm: npm === undefined ? [] : [npm] };
  for (const file of settingsFiles(env)) {
    const text = await source.readFile(file);
    if (text !== undefined) Object.assign(mirrors, parseSettingsFile(text, file));
  }
  if (env["TSOS_MIRRORS"] !== undefined) Object.assign(mirrors, parseMirrors(env["TSOS_MIRRORS"]));
  return { ...plainFetchSettings, mirrors, proxies: readProxies(env), ...(await readCredentials(source, findConfigHome(env))) };
}

/**
 * Access tokens of forges and the netrc file: of `TSOS_ACCESS_TOKENS` and `NETRC`, else where Nix has them
 * (`access-tokens`, `netrc-file` and `tarball-ttl` of its settings) and where curl has them (`~/.netrc`).
 */
async function readCredentials(source: SettingsMachine, configHome: string | undefined): Promise<Pick<FetchSettings, "accessTokens" | "netrc"> & Partial<Pick<FetchSettings, "tarballTtl">>> {
  const { env } = source;
  const values = new Map<string, string>();
  const files = [join(env["NIX_CONF_DIR"] ?? "/etc/nix", "nix.conf"), ...(configHome === undefined ? [] : [join(configHome, "nix/nix.conf")])];
  const texts = [...(await Promise.all(files.map((file) => source.readFile(file)))), env["NIX_CONFIG"]];
  for (const text of texts) {
    for (const line of (text ?? "").split("\n")) {
      const match = /^\s*(extra-)?(access-tokens|netrc-file|tarball-ttl)\s*=\s*([^#]*?)\s*(?:#.*)?$/.exec(line);
      if (match !== null) values.set(match[2]!, match[1] === undefined ? match[3]! : `${values.get(match[2]!) ?? ""} ${match[3]!}`);
    }
  }
  const netrcFiles = [env["NETRC"], values.get("netrc-file"), "/etc/nix/netrc", env["HOME"] === undefined ? undefined : join(env["HOME"], ".netrc")];
  let netrc: readonly NetrcEntry[] = [];
  for (const file of netrcFiles) {
    const text = file === undefined ? undefined : await source.readFile(file);
    if (text === undefined) continue;
    netrc = parseNetrc(text);
    break;
  }
  const ttl = Number(values.get("tarball-ttl") ?? "");
  return {
    accessTokens: parseAccessTokens(`${values.get("access-tokens") ?? ""} ${env["TSOS_ACCESS_TOKENS"] ?? ""}`),
    netrc,
    ...(values.has("tarball-ttl") && Number.isInteger(ttl) ? { tarballTtl: ttl } : {}),
  };
}

/** `NAME=URL` pairs between white space; a name given more than once has several mirrors. */
export function parseMirrors(text: string): Record<string, string[]> {
  const mirrors: Record<string, string[]> = {};
  for (const pair of text.split(/\s+/).filter((part) => part !== "")) {
    const match = /^([a-z][a-z0-9-]*)=(.+)$/.exec(pair);
    if (match === null) throw badMirror(pair, "TSOS_MIRRORS");
    (mirrors[match[1]!] ??= []).push(checkBaseUrl(match[2]!, "TSOS_MIRRORS"));
  }
  return mirrors;
}

function parseSettingsFile(text: string, file: string): Record<string, string[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TsosError({ code: "fetch.bad-mirrors", message: `"${file}" is not JSON`, cause });
  }
  const mirrors: Record<string, string[]> = {};
  const given = typeof value === "object" && value !== null && "mirrors" in value ? value.mirrors : {};
  if (typeof given !== "object" || given === null) throw badMirror(JSON.stringify(given), file);
  for (const [name, urls] of Object.entries(given)) {
    const list: unknown[] = Array.isArray(urls) ? urls : [urls];
    mirrors[name] = list.map((url) => {
      if (typeof url !== "string") throw badMirror(JSON.stringify(url), file);
      return checkBaseUrl(url, file);
    });
  }
  return mirrors;
}

function checkBaseUrl(url: string, where: string): string {
  if (!/^(https?|file):\/\/\S+$/.test(url)) throw badMirror(url, where);
  return url.replace(/\/+$/, "");
}

function badMirror(value: string, where: string): TsosError {
  return new TsosError({
    code: "fetch.bad-mirrors",
    message: `"${value}" in ${where} is not a mirror, expected a name and an http, https or file URL`,
    hint: `write it as debian=http://HOST/debian or npm=https://HOST`,
    data: { value, where },
  });
}

async function findDebianMirrors(source: SettingsMachine): Promise<readonly string[]> {
  const folder = "/etc/apt/sources.list.d";
  const names = [...(await source.listFolder(folder))].sort();
  const files = ["/etc/apt/sources.list", ...names.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(folder, name))];
  const texts = await Promise.all(files.map((file) => source.readFile(file)));
  const urls = texts.flatMap((text, i) => (text === undefined ? [] : parseAptSources(text, files[i]!.endsWith(".sources") ? "deb822" : "one-line")));
  return [...new Set(urls.map((url) => url.replace(/\/+$/, "")))].filter((url) => /^(https?|file):/.test(url) && url.endsWith("/debian"));
}

async function findNpmRegistry(source: SettingsMachine): Promise<string | undefined> {
  const { env } = source;
  const fromEnv = Object.entries(env).find(([name, value]) => name.toLowerCase() === "npm_config_registry" && value)?.[1];
  if (fromEnv !== undefined) return fromEnv.replace(/\/+$/, "");
  const prefix = dirname(dirname(source.execPath));
  const npm = join(prefix, "lib/node_modules/npm");
  const files = [
    env["NPM_CONFIG_USERCONFIG"] ?? env["npm_config_userconfig"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".npmrc")),
    env["NPM_CONFIG_GLOBALCONFIG"] ?? env["npm_config_globalconfig"] ?? join(prefix, "etc/npmrc"),
    join(npm, "npmrc"),
  ];
  for (const file of files) {
    const text = file === undefined ? undefined : await source.readFile(file);
    const registry = text === undefined ? undefined : parseNpmrc(text, env)["registry"];
    if (registry !== undefined && registry !== "") return registry.replace(/\/+$/, "");
  }
  // What npm itself falls back to stands in its own table of settings; Debian's npm lies elsewhere.
  for (const folder of [npm, "/usr/share/nodejs/npm", "/usr/lib/node_modules/npm", "/usr/local/lib/node_modules/npm"]) {
    for (const settings of ["node_modules/@npmcli/config", "../@npmcli/config"]) {
      const text = await source.readFile(join(folder, settings, "lib/definitions/definitions.js"));
      const registry = text === undefined ? undefined : parseNpmDefaultRegistry(text);
      if (registry !== undefined) return registry.replace(/\/+$/, "");
    }
  }
  return undefined;
}

function readProxies(env: SettingsMachine["env"]): FetchProxies {
  const find = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  const http = find("http_proxy") ?? find("all_proxy");
  const https = find("https_proxy") ?? find("all_proxy");
  const no = find("no_proxy");
  return { ...(http === undefined ? {} : { http }), ...(https === undefined ? {} : { https }), ...(no === undefined ? {} : { no }) };
}
