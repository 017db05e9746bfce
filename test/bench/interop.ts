/**
 * Shells of Nix files, the types of a pinned tree, and systems of NixOS' modules. The last two need a tree of nixpkgs:
 * `TSOS_GOLDEN_NIXPKGS` names its folder. Figures are of whole processes.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { OWN_SHELL, OWN_STDENV } from "../cli/nix-project/own-stdenv.ts";
import { makePinnedTypes } from "../../core/interop/types/make-pinned-types.ts";
import { GOLDEN_NIXPKGS } from "../golden/nixpkgs-tree.ts";
import type { Benchmark, Figures } from "./run.ts";

const tsos = join(resolve(import.meta.dirname, "../.."), "bin/tsos.js");
const tree = GOLDEN_NIXPKGS;

/** Of each side, in turn; the least counts. */
const TURNS = Number(process.env["TSOS_BENCH_RUNS"] ?? 3);

type Cost = { readonly clock: number; readonly cpu: number };

/** The median of `count` runs after one that warms the caches. */
function measure(count: number, run: () => void): Cost {
  run();
  const costs: Cost[] = [];
  for (let i = 0; i < count; i++) {
    const before = childrenCpu();
    const start = performance.now();
    run();
    const clock = performance.now() - start;
    costs.push({ clock, cpu: childrenCpu() - before });
  }
  const middle = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return { clock: middle(costs.map((cost) => cost.clock)), cpu: middle(costs.map((cost) => cost.cpu)) };
}

/** Processor time of all children that ended, in milliseconds. Linux: the fields cutime and cstime, in hundredths. */
function childrenCpu(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function inFolder<T>(files: Readonly<Record<string, string>>, run: (folder: string, env: NodeJS.ProcessEnv) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "tsos-bench-interop-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return run(folder, { ...process.env, TSOS_CACHE_DIR: join(folder, "cache"), NIX_PATH: "", NIX_CONFIG: "substituters =\nsandbox = false" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(process.execPath, [tsos, ...args], { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`tsos ${args.join(" ")} failed: ${stderr}`);
}

const SYSTEM = (module: string): string => `import { defineInputs, defineNixosSystem, nixFile } from "tsos";
const inputs = defineInputs({ nixpkgs: ${JSON.stringify(`path:${tree ?? ""}`)} });
export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [${module}, nixFile("./shellcheck.nix")] });
`;

/** The golden data's tree lacks the package set of Haskell, which has the checker of shell scripts. */
const WITHOUT_SHELLCHECK = "{ nixpkgs.overlays = [ (final: prev: { shellcheck-minimal = prev.hello // { compiler.bootstrapAvailable = false; }; shellcheck = final.shellcheck-minimal; }) ]; }";
const IN_NIX = '{ pkgs, ... }: { nixpkgs.hostPlatform = "x86_64-linux"; boot.loader.grub.device = "nodev"; fileSystems."/".device = "/dev/sda1"; fileSystems."/".fsType = "ext4"; services.nginx.enable = true; environment.systemPackages = [ pkgs.hello ]; system.stateVersion = "26.05"; }';
const IN_NIX_ALONE = `(import ${tree ?? ""}/nixos/lib/eval-config.nix { system = "x86_64-linux"; modules = [ ./m.nix ./shellcheck.nix ]; }).config.system.build.toplevel`;
const IN_TYPESCRIPT = '({ pkgs }) => ({ nixpkgs: { hostPlatform: "x86_64-linux" }, boot: { loader: { grub: { device: "nodev" } } }, fileSystems: { "/": { device: "/dev/sda1", fsType: "ext4" } }, services: { nginx: { enable: true } }, environment: { systemPackages: [pkgs.hello] }, system: { stateVersion: "26.05" } })';

export const benchmarks: readonly Benchmark[] = [
  {
    name: "tsos shell -- true, a shell.nix seen before, beside bash -c true",
    run: async (): Promise<Figures> =>
      inFolder({ "stdenv.nix": OWN_STDENV, "shell.nix": OWN_SHELL }, (folder, env) => {
        const known = measure(15, () => run(["shell", "--", "true"], folder, env));
        return { ours: known.clock, cpu: known.cpu, reference: measure(15, () => void execFileSync("bash", ["-c", "true"])).clock };
      }),
  },
  { name: "node -e 0, which that begins with", run: async (): Promise<Figures> => {
    const { clock, cpu } = measure(15, () => void execFileSync(process.execPath, ["-e", "0"]));
    return { ours: clock, cpu };
  } },
  ...(tree === undefined ? [] : [
    {
      name: "types of the whole tree, nothing kept",
      run: async (): Promise<Figures> => {
        const folder = mkdtempSync(join(tmpdir(), "tsos-bench-types-"));
        const before = childrenCpu();
        const own = process.cpuUsage();
        const start = performance.now();
        try {
          await makePinnedTypes({ tree, folder: join(folder, "types"), nix: [process.execPath, tsos, "nix"], env: { ...process.env, NIX_PATH: "", NIX_CONFIG: "eval-cache = false", TSOS_CACHE_DIR: join(folder, "cache"), TSOS_NIX_MEGABYTES: "1100" } });
          const used = process.cpuUsage(own);
          return { ours: performance.now() - start, cpu: childrenCpu() - before + (used.user + used.system) / 1000 };
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    },
    ...(["ts", "nix"] as const).map((language) => ({
      name: `a system of NixOS by defineNixosSystem, definitions in ${language === "ts" ? "TypeScript" : "Nix"}, beside tsos nix instantiate --eval of the same`,
      run: async (): Promise<Figures> =>
        inFolder({ "shellcheck.nix": WITHOUT_SHELLCHECK, "m.nix": IN_NIX, "system.nix": IN_NIX_ALONE, "ts.config.ts": SYSTEM(IN_TYPESCRIPT), "nix.config.ts": SYSTEM('nixFile("./m.nix")'), "tsos.lock": '{ "version": 1, "inputs": {} }' }, (folder, env) => {
          // By the clock alone: the isolate's process is ended, and nobody is told what it took.
          const once = (args: readonly string[]): number => {
            // What was evaluated before is not of interest; what was parsed and fetched is.
            for (const kept of ["evaluation", "nix/evaluations"]) rmSync(join(folder, "cache", kept), { recursive: true, force: true });
            const start = performance.now();
            run(args, folder, env);
            return performance.now() - start;
          };
          const ours = ["eval", "--drv", "-c", `${language}.config.ts`];
          const reference = ["nix", "instantiate", "--eval", "-E", "(import ./system.nix).drvPath"];
          for (const args of [ours, reference]) once(args);
          const turns = Array.from({ length: TURNS }, () => [once(ours), once(reference)] as const);
          return { ours: Math.min(...turns.map(([own]) => own)), reference: Math.min(...turns.map(([, other]) => other)) };
        }),
    })),
  ]),
];
