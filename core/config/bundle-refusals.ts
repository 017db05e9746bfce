import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, sep } from "node:path";
import type { OnResolveResult, PartialMessage } from "esbuild";
import { findNearestName } from "../util/suggest.ts";
import { PACKAGE } from "./bundle-names.ts";

/** What a person reaches a builtin of Node for, and what does that in a configuration. */
const INSTEAD: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["fs", ["the file system", 'readFile("./file") from "tsos", path("./folder"), or import a JSON or text file']],
  ["os", ["the machine", "options, such as config.networking.hostName"]],
  ["child_process", ["the output of a program", "a package whose build runs it"]],
  ["crypto", ["randomness or the clock", "a value written down, or a service that makes it on the machine"]],
  ["process", ["the environment", "a value written down, or a JSON file of the project"]],
  ["path", ["the machine's paths", "template literals, which join paths of a machine as they are"]],
  ["url", ["Node's url", "template literals"]],
  ["http", ["the network", "pkgs.fetchurl({ url, hash })"]],
  ["https", ["the network", "pkgs.fetchurl({ url, hash })"]],
  ["net", ["the network", "pkgs.fetchurl({ url, hash })"]],
  ["dns", ["the network", "addresses written down"]],
  ["worker_threads", ["other threads", "plain code: an evaluation is synchronous"]],
]);

/** What a message of the compiler carries that is one of ours. */
export type Refusal = { readonly code: string; readonly hint?: string | undefined };

export function detailed(detail: Refusal, text: string): PartialMessage {
  return { text, detail };
}

export function refuse(detail: Refusal, text: string): OnResolveResult {
  return { errors: [detailed(detail, text)] };
}

export function refuseBuiltin(path: string, importer: string): OnResolveResult {
  const name = path.replace(/^node:/, "");
  const [what, instead] = INSTEAD.get(name.split("/")[0] ?? name) ?? [`"${path}"`, "what \"tsos\" exports"];
  const inPackage = PACKAGE.exec(importer.split(sep).join("/"));
  const hint = inPackage === null ? `use ${instead}` : `the package "${inPackage[1]}" is not pure: use one that needs nothing of Node, or ${instead}`;
  return refuse({ code: "config.impure-import", hint }, `a configuration cannot read ${what}: "${path}" is not available`);
}

export function refuseMissing(path: string, target: string, isEntry: boolean): OnResolveResult {
  if (isEntry) return refuse({ code: "config.missing-file", hint: "tsos init makes one" }, `there is no configuration "${target}"`);
  const folder = dirname(target);
  let hint: string | undefined;
  if (existsSync(folder)) {
    const near = findNearestName(basename(target), readdirSync(folder));
    if (near !== undefined) hint = `did you mean "${path.slice(0, path.length - basename(path).length)}${near}"?`;
    if (statSync(target, { throwIfNoEntry: false })?.isDirectory() === true) hint = "that is a folder without an index.ts";
  } else {
    hint = `there is no folder "${dirname(path)}"`;
  }
  return refuse({ code: "config.missing-file", hint }, `cannot find "${path}"`);
}
