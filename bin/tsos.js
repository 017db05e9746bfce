#!/usr/bin/env node
// The fast way in: answers the version, makes sure that what runs was built from the sources beside it, and
// hands over. CommonJS, because that starts sooner than a module.
"use strict";
const { readFileSync, statSync } = require("node:fs");
const { join, sep } = require("node:path");

const root = join(__dirname, "..");
const argv = process.argv.slice(2);
const MAY_BE_GONE = { throwIfNoEntry: false };

if (argv.length === 1 && argv[0] === "--version") {
  process.stdout.write(`${JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version}\n`);
} else if (argv[0] === "shell" && findBuilt("known-shell.json") !== undefined) {
  // A Nix project's shell that was entered before needs nothing of the others.
  const dist = join(root, "dist");
  require(join(dist, "known-shell.cjs"))
    .enterKnownShell(argv.slice(1), dist)
    .then((code) => (code === undefined ? run() : exit(code)))
    .catch(fail);
} else {
  run();
}

function run() {
  let built = findBuilt("build.json");
  if (built === undefined) {
    build();
    built = findBuilt("build.json");
  }
  if (built === undefined) {
    process.stderr.write("tsos: its sources changed while they were built; run it again\n");
    process.exitCode = 1;
    return;
  }
  const dist = join(root, "dist");
  // Node 22 and later keep compiled code of packages between runs.
  require("node:module").enableCompileCache?.(join(dist, "compile-cache"));
  const { loadProgram } = require(join(dist, "load-program.cjs"));
  // The classic Nix commands read their arguments by themselves, and start sooner without the others.
  const name = argv[0] === "nix" ? "nix" : "cli";
  const words = name === "nix" ? argv.slice(1) : argv;
  // What one command of the store compiles is of no use to another.
  const said = name === "cli" && words[0] === "store" ? `store-${words[1]}` : (words[0] ?? "");
  const command = /^[a-z]+(-[a-z]+)*$/.test(said) ? said : "other";
  const { exports: program, save } = loadProgram(dist, name, built.commands[name], command);
  const ended = name === "nix" ? program.nixMain(words) : program.main(words, built.version);
  ended.then((code) => exit(code, (code) => {
    // Whatever fails may be no command at all.
    if (code === 0) save();
    (program.endProcess ?? process.exit)(code);
  })).catch(fail);
}

function fail(error) {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exitCode = 1;
}

/** Threads and programs that help may still be there; nothing waits for them, but for the reader of a pipe. */
function exit(code, end = process.exit) {
  let open = 2;
  const written = () => --open === 0 && end(code);
  // A reader that is gone wants no more.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {}).write("", written);
}

/** What `dist`, or a part of it, was built from, unless that has changed since. An installed package has no sources to change. */
function findBuilt(list) {
  let built;
  try {
    built = JSON.parse(readFileSync(join(root, "dist", list), "utf8"));
  } catch {
    return undefined;
  }
  if (root.includes(`${sep}node_modules${sep}`)) return built;
  for (const [file, time, size] of built.inputs) {
    const stats = statSync(`${root}/${file}`, MAY_BE_GONE);
    if (stats === undefined || stats.mtimeMs !== time || stats.size !== size) return undefined;
  }
  return built;
}

function build() {
  const { spawnSync } = require("node:child_process");
  const { status } = spawnSync(process.execPath, [join(root, "cli", "dev", "build.js"), "--programs"], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exit(1);
}
