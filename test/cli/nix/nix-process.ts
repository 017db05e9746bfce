/** Runs `tsos nix …` with a store of its own, and the machine's own Nix on the same store where there is one. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTsos, tsosProgram, type TsosProcess } from "../tsos-process.ts";

export type NixResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type NixTrial = Disposable & {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** `run("instantiate", "--eval", …)` */
  run(...args: readonly string[]): NixResult;
  runWith(options: { readonly input?: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string }, ...args: readonly string[]): NixResult;
  start(...args: readonly string[]): TsosProcess;
  /** The classic command of this machine's Nix. */
  reference(command: string, ...args: readonly string[]): NixResult;
};

/** Why there is nothing to compare with, for `skip`. */
export const noReference: string | false = spawnSync("nix-store", ["--version"]).status === 0 ? false : "this machine has no nix-store to compare with";

export function startNixTrial(): NixTrial {
  const folder = mkdtempSync(join(tmpdir(), "tsos-nix-"));
  mkdirSync(join(folder, "home"));
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder, "home"),
    NIX_STORE_DIR: join(folder, "store"),
    NIX_STATE_DIR: join(folder, "var"),
    NIX_LOG_DIR: join(folder, "log"),
    NIX_CONF_DIR: join(folder, "conf"),
    NIX_PATH: "",
    NIX_CONFIG: "sandbox = false\nsubstituters =\nbuild-users-group =",
    TSOS_CACHE_DIR: join(folder, "cache"),
    TSOS_STATE_DIR: join(folder, "state"),
  };
  const spawn = (command: string, args: readonly string[], options: { readonly input?: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {}): NixResult => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: options.cwd ?? folder, env: { ...env, ...options.env }, encoding: "utf8", input: options.input ?? "", timeout: 120_000, maxBuffer: 1 << 26 });
    return { code: status, stdout, stderr };
  };
  return {
    folder,
    env,
    run: (...args) => spawn(process.execPath, [tsosProgram, "nix", ...args]),
    runWith: (options, ...args) => spawn(process.execPath, [tsosProgram, "nix", ...args], options),
    start: (...args) => startTsos(["nix", ...args], { cwd: folder, stateFolder: folder, env }),
    reference: (command, ...args) => spawn(command, args),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** A derivation that the machine's shell builds. */
export function shellDerivation(name: string, script: string, more = ""): string {
  return `derivation { name = "${name}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" ${JSON.stringify(script)} ]; ${more} }`;
}
