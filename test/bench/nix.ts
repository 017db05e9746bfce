/**
 * The Nix language beside the reference: whole processes of `tsos nix instantiate` and `nix-instantiate`, in turn, medians.
 * Nixpkgs and systems need the tree of the golden data in TSOS_GOLDEN_NIXPKGS; `npm run bench -- nix` says what it leaves
 * out without it. TSOS_BENCH_NODE names another Node to run tsos with, TSOS_BENCH_RUNS how often (3).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { GOLDEN_DIR } from "../golden/golden-dir.ts";
import { GOLDEN_NIXPKGS, SKIP_NIXPKGS } from "../golden/nixpkgs-tree.ts";
import type { Benchmark, Figures } from "./run.ts";
import { timeProcess, type Time } from "./tools/whole-process.ts";

const tool = resolve(GOLDEN_DIR, "../tools/reference-nix.sh");
const tsos = resolve(import.meta.dirname, "../../bin/tsos.js");
const node = process.env["TSOS_BENCH_NODE"] ?? process.execPath;
const runs = Number(process.env["TSOS_BENCH_RUNS"] ?? 3);
const megabytes = /^(?:[^\n]*\n)*MAXRSS (\d+)/;

const hasReference = existsSync(tool) && spawnSync(tool, ["run", "nix", "--version"]).status === 0;
const root = hasReference ? spawnSync(tool, ["root"], { encoding: "utf8" }).stdout.trim() : "";

type Work = { readonly args: readonly string[]; readonly cache: "off" | "parsed" | "all" };

/** A folder that the reference sees under another path; one that came in its place since it was last shown has a path of its own. */
function show(folder: string, name: string): string {
  const shown = `${name}-${statSync(folder).ino}`;
  spawnSync(tool, ["mount", folder, shown]);
  return `/ref/${shown}`;
}

const timed = (command: string, args: readonly string[], env: NodeJS.ProcessEnv): Time => timeProcess(command, args, { env });

const median = (figures: readonly Time[], of: keyof Time): number => figures.map((time) => time[of]).toSorted((a, b) => a - b)[figures.length >> 1]!;

function measure(ours: (cache: string) => Work, reference: readonly string[] | undefined, prepare?: (run: number) => void): Figures {
  const cache = mkdtempSync(join(tmpdir(), "tsos-bench-nix-"));
  // Node 20 reads these certificates whenever it starts, which takes longer than it takes to add two numbers.
  const env = { ...process.env, TSOS_CACHE_DIR: cache, NIX_PATH: "", NODE_EXTRA_CA_CERTS: undefined };
  const { args, cache: use } = ours(cache);
  const command = [tsos, "nix", "instantiate", ...args];
  try {
    // Parses what is to be parsed, builds what is to be built, fills the page cache.
    timed(node, command, env);
    const own: Time[] = [];
    const theirs: Time[] = [];
    for (let run = 0; run < runs; run++) {
      prepare?.(run);
      if (use === "parsed") rmSync(join(cache, "nix/evaluations"), { recursive: true, force: true });
      own.push(timed(node, use === "off" ? [...command, "--option", "eval-cache", "false"] : command, env));
      if (hasReference && reference !== undefined) theirs.push(timed(tool, ["run", "nix-instantiate", ...reference], process.env));
    }
    return { ours: median(own, "wall"), cpu: median(own, "cpu"), ...(theirs.length === 0 ? {} : { reference: median(theirs, "wall"), referenceCpu: median(theirs, "cpu") }) };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

const READ_ONLY = ["--readonly-mode", "--eval", "--strict"];
const expression = (text: string, cache: Work["cache"] = "off", name = text): Benchmark & { readonly text: string } => ({
  name,
  text,
  run: async () => measure(() => ({ args: [...READ_ONLY, "-E", text], cache }), [...READ_ONLY, "-E", text]),
});

/** An expression of a tree: `nixpkgs` is where each finds it. */
function ofTree(name: string, text: (tree: string, golden: string) => string, cache: Work["cache"]): Benchmark {
  return {
    name,
    run: async () => {
      const [tree, golden] = hasReference ? [show(GOLDEN_NIXPKGS!, "bench-nixpkgs"), show(GOLDEN_DIR, "bench-golden")] : ["", ""];
      return measure(() => ({ args: [...READ_ONLY, "-E", text(GOLDEN_NIXPKGS!, GOLDEN_DIR)], cache }), [...READ_ONLY, "-E", text(tree, golden)]);
    },
  };
}

const hello = (tree: string): string => `(import ${tree} { system = "x86_64-linux"; config = { }; overlays = [ ]; }).hello.drvPath`;
const system = (name: string) => (tree: string, golden: string): string => `(import ${golden}/nixos/${name}.nix { nixpkgs = ${tree}; }).drvPath`;
const packages = (tree: string, golden: string): string =>
  `let pkgs = import ${tree} { system = "x86_64-linux"; config = { allowUnfree = true; allowAliases = true; }; }; names = builtins.attrNames (builtins.fromJSON (builtins.readFile ${golden}/nixpkgs-26.11-drvpaths.json)).drvPath; get = builtins.foldl' (set: name: set.\${name}) pkgs; in map (name: (get (builtins.filter builtins.isString (builtins.split "[.]" name))).drvPath) names`;

/** A system's configuration with one line of it changed each time: nothing of it is in the cache of evaluations. */
const changedSystem = (name: string, change: (run: number) => string): Benchmark => ({
  name,
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "tsos-bench-system-"));
    const file = join(folder, "system.nix");
    const text = readFileSync(join(GOLDEN_DIR, "nixos/minimal.nix"), "utf8");
    const write = (run: number): void => writeFileSync(file, text.replace('system.stateVersion = "26.05";', `system.stateVersion = "26.05"; ${change(run)}`));
    write(-1);
    try {
      const expressionOf = (tree: string, own: string): string => `(import ${own}/system.nix { nixpkgs = ${tree}; }).drvPath`;
      const [tree, own] = hasReference ? [show(GOLDEN_NIXPKGS!, "bench-nixpkgs"), show(folder, `bench-${Date.now()}`)] : ["", ""];
      return measure(() => ({ args: [...READ_ONLY, "-E", expressionOf(GOLDEN_NIXPKGS!, folder)], cache: "all" }), [...READ_ONLY, "-E", expressionOf(tree, own)], write);
    } finally {
      if (root !== "") for (const name of mountsBelow(join(root, "ref"), folder)) spawnSync("umount", [name]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

function mountsBelow(folder: string, source: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8").split("\n").map((line) => line.split(" ")).filter((fields) => fields[4]?.startsWith(`${folder}/`) === true && source.endsWith(fields[3] ?? "\0")).map((fields) => fields[4]!);
}

/** Peak memory in megabytes, in the place of milliseconds. */
const memory: Benchmark = {
  name: "peak memory of a system (MB)",
  run: async () => {
    const cache = mkdtempSync(join(tmpdir(), "tsos-bench-nix-"));
    const peak = (command: readonly string[]): number => {
      const program = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True); print('MAXRSS', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
      const { stdout } = spawnSync("python3", ["-c", program, ...command], { encoding: "utf8", env: { ...process.env, TSOS_CACHE_DIR: cache, NIX_PATH: "" } });
      return Number(megabytes.exec(stdout)?.[1] ?? NaN) / 1024;
    };
    try {
      const [tree, golden] = hasReference ? [show(GOLDEN_NIXPKGS!, "bench-nixpkgs"), show(GOLDEN_DIR, "bench-golden")] : ["", ""];
      const ours = [node, tsos, "nix", "instantiate", ...READ_ONLY, "-E", system("minimal")(GOLDEN_NIXPKGS!, GOLDEN_DIR)];
      peak(ours);
      rmSync(join(cache, "nix/evaluations"), { recursive: true, force: true });
      return { ours: peak(ours), reference: hasReference ? peak([tool, "run", "nix-instantiate", ...READ_ONLY, "-E", system("minimal")(tree, golden)]) : undefined };
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  },
};

const ofNixpkgs: readonly Benchmark[] = [
  ofTree("hello of nixpkgs", hello, "parsed"),
  ofTree("hello of nixpkgs, again", hello, "all"),
  ofTree("nixos/minimal.nix", system("minimal"), "parsed"),
  ofTree("nixos/minimal.nix, again", system("minimal"), "all"),
  ofTree("nixos/server.nix", system("server"), "parsed"),
  ofTree("nixos/server.nix, again", system("server"), "all"),
  ofTree("406 packages in one evaluation", packages, "parsed"),
  changedSystem("a system after a one-line change", (run) => `networking.hostName = "host-${run}";`),
  changedSystem("a system after a change of a comment", (run) => `# the change of run ${run}`),
  memory,
  ofTree("micro: evalModules", (tree) => `let lib = import ${tree}/lib; m = n: { options."o\${toString n}" = lib.mkOption { type = lib.types.attrsOf (lib.types.submodule { options.x = lib.mkOption { type = lib.types.int; default = n; }; }); default = { }; }; config."o\${toString n}" = { a = { }; b.x = lib.mkForce n; }; }; in builtins.deepSeq (builtins.removeAttrs (lib.evalModules { modules = map m (lib.range 1 300); }).config [ "_module" ]) 1`, "parsed"),
];

if (SKIP_NIXPKGS !== false) process.stderr.write(`nix: without ${ofNixpkgs.map(({ name }) => name).join(", ")}: ${SKIP_NIXPKGS}\n`);

export const benchmarks: readonly Benchmark[] = [
  expression("1 + 1", "all"),
  expression("builtins.foldl' (set: n: set // { \"k${toString n}\" = n; }) { } (builtins.genList (n: n) 2000)", "off", "micro: updates of a growing set"),
  expression("let big = builtins.listToAttrs (builtins.genList (n: { name = \"k${toString n}\"; value = n; }) 20000); in builtins.foldl' (sum: n: sum + (big // { k7 = n; }).k7) 0 (builtins.genList (n: n) 300)", "off", "micro: updates of a large set"),
  expression("builtins.foldl' (sum: n: sum + n) 0 (builtins.genList (n: n) 1000000)", "off", "micro: a fold"),
  expression("builtins.stringLength (builtins.foldl' (text: n: text + toString n) \"\" (builtins.genList (n: n) 20000))", "off", "micro: string building"),
  expression("builtins.length (builtins.sort (a: b: a < b) (builtins.genList (n: let m = n * 7919; in m - m / 100003 * 100003) 100000))", "off", "micro: sort"),
  expression("builtins.length (builtins.filter (n: builtins.match \"([a-z]+)-([0-9.]+)(-[a-z]+)?\" \"package-${toString n}.1-pre\" != null) (builtins.genList (n: n) 30000))", "off", "micro: regular expressions"),
  expression("builtins.length (builtins.genericClosure { startSet = [ { key = 0; } ]; operator = { key }: if key < 60000 then [ { key = key + 1; } { key = key + 2; } ] else [ ]; })", "off", "micro: genericClosure"),
  expression("let down = n: if n == 0 then 0 else 1 + down (n - 1); in builtins.foldl' (sum: n: sum + down 9000) 0 (builtins.genList (n: n) 20)", "off", "micro: deep recursion"),
  ...(SKIP_NIXPKGS === false ? ofNixpkgs : []),
];
