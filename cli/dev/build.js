// Bundles what runs: the command line, the evaluation runtime for the isolate, the workers, the activator.
// Plain JavaScript, since it runs before anything is built.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { constants, createContext, runInContext } from "node:vm";
import { build as esbuild } from "esbuild";

const here = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Packages with binaries, or too large to be read for a command that does not need them. */
const EXTERNAL = ["esbuild", "ts-morph", "@ts-morph/common", "koffi", "@photostructure/sqlite", "node-liblzma"];

/** What only those load who fetch and unpack. */
const FETCHING = ["undici", "yauzl", "unbzip2-stream", "fzstd", "xz-decompress"];

/** Every thread's own entry: name in `dist` → source. The isolate's are CommonJS because that starts sooner. */
const ISOLATE_WORKERS = { "isolate-worker": "core/config/isolate-worker.ts", "isolate-process": "core/config/isolate-process.ts", "parsed-sources": "core/interop/parsed-sources.ts" };
const WORKERS = {
  "type-check-worker": "core/config/type-check-worker.ts",
  "unpack-worker": "core/build/builtin/unpack-worker.ts",
};

/** The thread that evaluates the Nix language, the way into a shell that is known, and what loads programs; CommonJS for the same reason. */
const NIX_WORKER = { "load-program": "cli/load-program.ts", "nix-worker": "core/interop/evaluation-thread.ts", "nix-evaluator": "core/interop/evaluation-worker.ts", "known-shell": "cli/nix-project/enter-known-shell.ts" };

/** What a generation is activated with; evaluations put it into the store. */
const ACTIVATOR = { activate: "core/system/activate/main.ts" };

/** Programs: name in `dist` → source. */
const PROGRAMS = { demo: "cli/demo/main.ts", declare: "cli/dev/declare.ts" };

/** What people wait for: each is one script, which `cli/load-program.ts` runs with the engine's code cache. */
const COMMANDS = { cli: "cli/main.ts", nix: "cli/nix/main.ts" };

// Bundled CommonJS packages ask for Node's builtins by require.
const REQUIRE_BANNER = 'import { createRequire as __tsosRequire } from "node:module"; const require = __tsosRequire(import.meta.url);';

const nodeOptions = {
  bundle: true,
  write: false,
  metafile: true,
  platform: "node",
  target: "node20",
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
  external: EXTERNAL,
};

/**
 * Builds the runtime of evaluations, and what runs it, into `outFolder`.
 * @param {{ root?: string, entry?: string, outFolder: string }} options
 * @returns {Promise<readonly string[]>} the sources that went into it
 */
export async function buildRuntime({ root = here, entry = join(here, "cli/runtime/entry.ts"), outFolder }) {
  const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const [runtime, worker, activator] = await Promise.all([
    esbuild({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: join(outFolder, "runtime.js"),
      bundle: true,
      write: false,
      metafile: true,
      format: "iife",
      globalName: "runtime",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["isolate", "import"],
      target: "es2023",
      // One byte a character: half the text to read.
      charset: "ascii",
      supported: { "dynamic-import": false },
      // Constants of other modules stand where they are used, as in the program that evaluates the Nix language alone.
      minifySyntax: true,
      define: { TSOS_VERSION: JSON.stringify(version) },
      sourcemap: "external",
      sourcesContent: false,
      legalComments: "none",
      logLevel: "silent",
      // Nothing becomes a global of the realm: the script's value is all that leaves it.
      banner: { js: "((tsosDigest) => {" },
      footer: { js: "return runtime.start; })" },
      plugins: [pure],
    }),
    esbuild({ ...nodeOptions, absWorkingDir: root, entryPoints: inputsOf(here, ISOLATE_WORKERS), outdir: outFolder, format: "cjs", outExtension: { ".js": ".cjs" } }),
    esbuild({ ...nodeOptions, absWorkingDir: root, entryPoints: inputsOf(here, ACTIVATOR), outdir: outFolder, format: "esm", outExtension: { ".js": ".mjs" } }),
  ]);
  const files = [...runtime.outputFiles, ...worker.outputFiles, ...activator.outputFiles];
  const script = textOf(files, "runtime.js");
  const hash = createHash("sha256");
  for (const file of files) if (!file.path.endsWith(".map")) hash.update(file.contents);
  // What bundles and answers host calls decides on results as much as the runtime does.
  const host = join(here, "core/config");
  for (const name of existsSync(host) ? readdirSync(host).filter((file) => file.endsWith(".ts")).sort() : []) hash.update(readFileSync(join(host, name)));
  const description = { version, hash: hash.digest("hex"), ...describe(script) };
  writeFiles(outFolder, [...files.map((f) => [f.path, f.contents]), [join(outFolder, "runtime.json"), JSON.stringify(description)]]);
  await primeCodeCache(outFolder, description.hash);
  return [runtime, worker, activator].flatMap(({ metafile }) => Object.keys(metafile.inputs).map((file) => resolve(root, file)));
}

const pure = {
  name: "pure",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path }) => ({ errors: [{ text: `the isolate has no "${path}": this file and what it imports must be pure` }] }));
  },
};

/** The names that configurations can import, from the runtime itself. */
function describe(script) {
  const realm = createContext(constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false } });
  const start = runInContext(script, realm, { filename: "tsos:runtime" })(() => "");
  return { exports: [...start.exports].sort(), folderExports: [...start.folderExports].sort() };
}

/** Runs one small evaluation; the isolate's thread writes the engine's code cache when it finds none that fits. */
async function primeCodeCache(folder, hash) {
  const outFile = join(folder, `prime.${process.pid}.mjs`);
  await esbuild({ ...nodeOptions, entryPoints: [join(here, "core/config/isolate.ts")], outfile: outFile, write: true, format: "esm" });
  const { openIsolate } = await import(pathToFileURL(outFile).href);
  const isolate = openIsolate({ folder, hash });
  const activator = join(folder, "activate.mjs");
  try {
    // The reply, right or wrong, is of no interest here.
    await isolate.evaluate({ kind: "system" }, "((tsos) => tsos.api.defineSystem?.({}))", async ({ op }) => ({ op, text: existsSync(activator) ? readFileSync(activator, "utf8") : "" }));
  } finally {
    await isolate[Symbol.asyncDispose]();
    rmSync(outFile);
  }
}

/** The text is one function, whose last two parameters stand for `import.meta`. */
function buildCommands(root, outFolder) {
  return esbuild({
    ...nodeOptions,
    absWorkingDir: root,
    entryPoints: inputsOf(root, COMMANDS),
    outdir: outFolder,
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    charset: "ascii",
    alias: { "string-width": "./cli/output/string-width.ts" },
    define: { "import.meta.url": "__tsosUrl", "import.meta.dirname": "__tsosFolder" },
    // What is not bundled is CommonJS.
    supported: { "dynamic-import": false },
    banner: { js: '(function (exports, require, module, __tsosUrl, __tsosFolder) { "use strict";' },
    footer: { js: "})" },
  });
}

/** Builds everything into `dist` and notes what it was made from. */
export async function buildAll(root = here) {
  const outFolder = join(root, "dist");
  const began = Date.now();
  mkdirSync(outFolder, { recursive: true });
  const [runtimeInputs, nixWorker, commands, programs] = await Promise.all([
    existsSync(join(root, "cli/runtime/entry.ts")) ? buildRuntime({ root, outFolder }) : [],
    // It never fetches by itself, and in ASCII its text takes half the room and is sooner checked.
    esbuild({ ...nodeOptions, absWorkingDir: root, entryPoints: inputsOf(root, NIX_WORKER), outdir: outFolder, format: "cjs", outExtension: { ".js": ".cjs" }, charset: "ascii", minifySyntax: true, external: [...EXTERNAL, ...FETCHING] }),
    buildCommands(root, outFolder),
    esbuild({
      ...nodeOptions,
      absWorkingDir: root,
      entryPoints: { ...inputsOf(root, PROGRAMS), ...inputsOf(root, WORKERS) },
      outdir: outFolder,
      format: "esm",
      splitting: true,
      alias: { "string-width": "./cli/output/string-width.ts" },
      chunkNames: "chunk-[hash]",
      banner: { js: REQUIRE_BANNER },
    }),
  ]);
  // Entries are replaced after the chunks that they load; a program that runs keeps the chunks it began with.
  const files = [...nixWorker.outputFiles, ...commands.outputFiles, ...programs.outputFiles].sort((a, b) => Number(isChunk(b.path)) - Number(isChunk(a.path)));
  writeFiles(outFolder, files.map((f) => [f.path, f.contents]));
  removeOldChunks(outFolder, new Set(files.map((f) => basename(f.path))), began);
  const inputs = new Set([...runtimeInputs, ...Object.keys({ ...nixWorker.metafile.inputs, ...commands.metafile.inputs, ...programs.metafile.inputs }).map((file) => resolve(root, file))]);
  for (const file of ["package.json", "cli/dev/build.js"]) inputs.add(join(root, file));
  const stamps = [...inputs].filter((file) => !file.includes("node_modules") && existsSync(file)).sort().map((file) => {
    const { mtimeMs, size } = statSync(file);
    // What changed while it was read is built again.
    return [relative(root, file), mtimeMs >= began ? 0 : mtimeMs, size];
  });
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const stampOf = new Map(stamps.map((stamp) => [stamp[0], stamp]));
  const known = Object.entries(nixWorker.metafile.outputs).find(([file]) => basename(file) === "known-shell.cjs")?.[1].inputs ?? {};
  writeFiles(outFolder, [
    // What is asked before all else has its own, short list.
    [join(outFolder, "known-shell.json"), JSON.stringify({ inputs: Object.keys(known).map((file) => stampOf.get(file)).filter((stamp) => stamp !== undefined) })],
    [join(outFolder, "build.json"), JSON.stringify({ version, node: process.version, commands: hashesOf(commands.outputFiles), inputs: stamps })],
  ]);
}

function inputsOf(root, sources) {
  return Object.fromEntries(Object.entries(sources).filter(([, file]) => existsSync(join(root, file))).map(([name, file]) => [name, join(root, file)]));
}

function hashesOf(files) {
  return Object.fromEntries(files.map(({ path, contents }) => [basename(path, ".cjs"), createHash("sha256").update(contents).digest("hex")]));
}

function textOf(files, name) {
  return files.find((f) => basename(f.path) === name).text;
}

function isChunk(path) {
  return basename(path).startsWith("chunk-");
}

/** Each file as a whole or not at all: another process may be starting. */
function writeFiles(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [path, contents] of files) {
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, contents);
    renameSync(temporary, path);
  }
}

const DAY = 86_400_000;

function removeOldChunks(folder, current, now) {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const stale = (isChunk(name) && !current.has(name)) || name.endsWith(".tmp");
    if (stale && now - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now) > DAY) rmSync(file, { force: true });
  }
}

function formatFailure(error) {
  if (!Array.isArray(error?.errors)) return error?.stack ?? String(error);
  return error.errors.map(({ text, location }) => (location ? `${location.file}:${location.line}:${location.column + 1}: ${text}\n    ${location.lineText}` : text)).join("\n");
}

if (process.argv[1] !== undefined && createRequire(import.meta.url).resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await buildAll();
    // The types of options take seconds; the program itself makes them when it needs them.
    if (!process.argv.includes("--programs")) await import(join(here, "dist/declare.js"));
  } catch (error) {
    console.error(`tsos: cannot build\n${formatFailure(error)}`);
    process.exitCode = 1;
  }
}
