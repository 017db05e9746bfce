// The thread in which Nix expressions are evaluated: their recursion is the machine's, so it has a large stack. It loads
// the evaluator with the engine's code cache, which saves most of the time that a small expression takes.
// Node's own modules have a code cache that fits the engine as it was started: those that the evaluator needs are loaded
// before it is tuned.
import "node:child_process";
import "node:crypto";
import "node:fs/promises";
import "node:os";
import "node:stream/promises";
import "node:timers/promises";
import "node:url";
import "node:zlib";
import { readFileSync } from "node:fs";
import { createRequire, wrap } from "node:module";
import { dirname, join } from "node:path";
import { constants } from "node:vm";
import { workerData, type MessagePort } from "node:worker_threads";
import { loadCachedScript } from "../util/cached-script.ts";
import { tuneCompiler } from "../util/tune-engine.ts";
import { evaluatorFile, programOf } from "./evaluation-program.ts";
import type * as evaluator from "./evaluation-worker.ts";

tuneCompiler();

const { port, bell, folder } = workerData as { readonly port: MessagePort; readonly bell: SharedArrayBuffer; readonly folder: string };

const file = evaluatorFile(folder);
const bytes = readFileSync(file);
const program = programOf(bytes);
// All but comments is ASCII.
const source = bytes.toString("latin1");
const { script, save } = loadCachedScript(wrap(source), join(folder, "nix-evaluator.cache"), program, { filename: file, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });

type Compiled = (exports: object, require: NodeJS.Require, module: object, filename: string, dirname: string) => void;
const module: { exports: Partial<typeof evaluator> } = { exports: {} };
(script.runInThisContext() as Compiled)(module.exports, createRequire(file), module, file, dirname(file));
// What is kept now is to fit the engine as it is when the next evaluation begins.
module.exports.serveEvaluations!({ port, bell, program, beforeEnd: () => save(tuneCompiler) });
