import type { Derivation, DerivationOutput } from "../../core/derivation/derivation.ts";
import { fillOutputPaths } from "../../core/derivation/fill-output-paths.ts";
import { HashModuloCache } from "../../core/derivation/hash-modulo-cache.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { parseBashVariables, readBashValue, type BashVariable } from "../../core/shell/bash-state.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { formatStorePath, storePathName, type StorePath } from "../../core/store-path/store-path.ts";
import { readFileSync } from "node:fs";
import { fromByteString, toByteString } from "../../core/util/bytes.ts";
import { FOLDER_MARK, type ShellSnapshot } from "./shell-snapshot.ts";

/** Takes the place of a builder's own script: writes what setup made of the builder's shell into its first output. */
const SCRIPT = String.raw`set -e
if [ -e "$NIX_ATTRS_SH_FILE" ]; then source "$NIX_ATTRS_SH_FILE"; fi
export IN_NIX_SHELL=impure
export dontAddDisableDepTrack=1
if [[ -n $stdenv ]]; then source "$stdenv/setup"; fi
__tsos_variables=$(declare -p)
if [ -e "$NIX_ATTRS_SH_FILE" ]; then
  __tsos_paths=("${"${outputs[@]}"}")
else
  __tsos_paths=()
  for __tsos_name in $outputs; do __tsos_paths+=("${"${!__tsos_name}"}"); done
fi
{
  printf '%s\0' "$__tsos_variables"
  declare -f
  printf '\0'
  if [ -e "$NIX_ATTRS_SH_FILE" ]; then printf '%s\0%s\0' "$(<"$NIX_ATTRS_SH_FILE")" "$(<"$NIX_ATTRS_JSON_FILE")"; fi
} > "${"${__tsos_paths[0]}"}"
for __tsos_path in "${"${__tsos_paths[@]:1}"}"; do printf "" > "$__tsos_path"; done
`;

const CHECKS = ["allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites"].map(toByteString);

/**
 * The derivation that gives the environment of another one's builder: the same inputs and variables, another script.
 * Nix: src/nix/develop.cc
 *
 * @throws TsosError `nix.not-a-shell` when its builder is not bash
 */
export async function writeEnvironmentDerivation(store: LocalStore, derivation: Derivation): Promise<{ readonly drvPath: StorePath; readonly outputs: ReadonlyMap<string, StorePath | undefined> }> {
  const builder = fromByteString(derivation.builder);
  if (!builder.endsWith("/bash")) {
    throw new TsosError({ code: "nix.not-a-shell", message: `the builder of "${derivation.name}" is "${builder}", expected bash`, hint: "a shell of a flake is a derivation that bash builds, such as mkShell makes" });
  }
  const script = await store.addTextToStore("tsos-shell-environment.sh", toByteString(SCRIPT), []);
  const env = new Map(derivation.env);
  const structured = env.get("__json");
  if (structured !== undefined) {
    const attributes = JSON.parse(fromByteString(structured)) as Record<string, unknown>;
    delete attributes["outputChecks"];
    env.set("__json", toByteString(JSON.stringify(attributes)));
  } else for (const name of CHECKS) env.delete(name);
  const name = `${derivation.name}-env`;
  env.set("name", toByteString(name));
  const outputs = new Map<string, DerivationOutput>();
  for (const [output, stated] of derivation.outputs) {
    const isKnown = stated.kind === "input-addressed" || stated.kind === "fixed";
    outputs.set(output, isKnown ? { kind: "deferred" } : stated);
    if (isKnown) env.set(output, "");
  }
  const unfinished: Derivation = { ...derivation, name, env, outputs, args: [toByteString(formatStorePath(script, store.storeDir))], inputSources: new Set([...derivation.inputSources, script]) };
  const { derivation: finished, outputPaths } = fillOutputPaths(unfinished, new HashModuloCache({ getDerivation: (path) => readDerivation(store, path), storeDir: store.storeDir }), store.storeDir);
  return { drvPath: await store.writeDerivation(finished), outputs: outputPaths };
}

export function readDerivation(store: LocalStore, path: StorePath): Derivation {
  return parseDerivation(readFileSync(store.realPath(path)), storePathName(path).replace(/\.drv$/, ""), store.storeDir);
}

/** Of a build, and of no use to a shell. */
const IGNORED = new Set([
  ..."BASHOPTS HOME NIX_BUILD_TOP NIX_ENFORCE_PURITY NIX_LOG_FD NIX_REMOTE PPID SHELLOPTS SSL_CERT_FILE TEMP TEMPDIR TERM TMP TMPDIR TZ UID".split(" "),
  ..."_ DIRSTACK EUID FUNCNAME HISTCMD HOSTNAME GROUPS PIPESTATUS PWD RANDOM SHLVL SECONDS EPOCHREALTIME EPOCHSECONDS".split(" "),
]);

/** What the build wrote, as a shell. */
export function readEnvironmentOutput(text: string, { name, bash, gcRoot }: { readonly name: string; readonly bash: string; readonly gcRoot: string }): ShellSnapshot {
  const [declared = "", functions = "", attributesShell, attributesJson] = text.split("\0");
  const variables = parseBashVariables(declared);
  const kept = variables.filter(({ name: one, flags }) => !IGNORED.has(one) && !/^(?:BASH_|COMP_|__tsos_)/.test(one) && ["", "x", "a", "A"].includes(flags));
  // The reference defines functions and exports none.
  let script = `${kept.map(formatVariable).join("")}${functions.replace(/^declare -fx .*\n/gm, "")}`;
  const files: Record<string, string> = {};
  for (const [extension, contents] of [["sh", attributesShell], ["json", attributesJson]] as const) {
    if (contents === undefined || contents === "") continue;
    files[`.attrs.${extension}`] = Buffer.from(contents).toString("latin1");
    const file = textOfVariable(variables, `NIX_ATTRS_${extension.toUpperCase()}_FILE`);
    if (file !== undefined) script = script.replaceAll(file, `${FOLDER_MARK}/.attrs.${extension}`);
  }
  return { version: 1, style: "flake", name, script, files, bash, outputs: outputsOf(variables, attributesShell !== undefined && attributesShell !== ""), environment: { NIX_GCROOT: gcRoot, SHELL: bash } };
}

/** Assignments rather than declarations: what the shell around has exported stays so. */
function formatVariable({ name, flags, value }: BashVariable): string {
  if (flags === "a" || flags === "A") return `declare -${flags} ${name}=${value ?? "()"}\n`;
  return `${name}=${value === undefined ? "''" : value}\n${flags === "x" ? `export ${name}\n` : ""}`;
}

function textOfVariable(variables: readonly BashVariable[], name: string): string | undefined {
  const found = variables.find((variable) => variable.name === name && !/[aA]/.test(variable.flags));
  return found?.value === undefined ? undefined : readBashValue(found.value);
}

function outputsOf(variables: readonly BashVariable[], isStructured: boolean): Record<string, string> {
  if (!isStructured) {
    const names = (textOfVariable(variables, "outputs") ?? "").split(/\s+/).filter((word) => word !== "");
    return Object.fromEntries(names.flatMap((name) => (textOfVariable(variables, name) ?? "") === "" ? [] : [[textOfVariable(variables, name)!, name]]));
  }
  const list = variables.find(({ name }) => name === "outputs")?.value ?? "";
  return Object.fromEntries([...list.matchAll(/\[("?)([^\]"]+)\1\]="((?:[^"\\]|\\.)*)"/g)].map(([, , name, path]) => [path!, name!]));
}
