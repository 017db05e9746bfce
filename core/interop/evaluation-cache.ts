import { hash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareWorld, stampObservations, type EvaluationWorld, type Observation } from "./evaluation-world.ts";
import type { FoundDerivation } from "./evaluation-protocol.ts";

/** What an evaluation did, in order. */
export type EvaluationEvent = readonly ["print" | "log", string] | readonly ["found", FoundDerivation];

/** An evaluation that went well: what it was told, what it did, and what it put into the store. */
export type EvaluationTrace = {
  readonly observations: readonly Observation[];
  readonly events: readonly EvaluationEvent[];
  /** Base names of the store, inputs first. */
  readonly stored: readonly string[];
};

/** What is more than this is dropped, the least recently used first. */
const LIMIT = 64 * 1024 * 1024;

/**
 * The trace under `key`, if everything that evaluation was told is still so. Whoever reads it may rely on it: the file
 * has a checksum, and a trace says all that the evaluation depended on but what its key is made of.
 */
export function findEvaluation(folder: string, key: string, world: EvaluationWorld): EvaluationTrace | undefined {
  const path = join(folder, key);
  let trace: EvaluationTrace;
  try {
    const bytes = readFileSync(path);
    const body = bytes.subarray(64);
    if (hash("sha256", body) !== bytes.toString("latin1", 0, 64)) return undefined;
    trace = JSON.parse(body.toString("latin1")) as EvaluationTrace;
  } catch {
    return undefined;
  }
  const start = Date.now();
  const { unchanged, read } = compareWorld(world, trace.observations);
  if (!unchanged) return undefined;
  // Files that were written anew with the same contents need not be read the next time.
  if (read) keepEvaluation(folder, key, { ...trace, observations: stampObservations(world, trace.observations, start) });
  else touch(path);
  return trace;
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // It is only the next to be dropped.
  }
}

/** Keeps a trace. A cache that cannot be written is one that is not there. */
export function keepEvaluation(folder: string, key: string, trace: EvaluationTrace): void {
  const text = JSON.stringify(trace).replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const body = Buffer.from(text, "latin1");
  const temporary = join(folder, `${randomUUID()}.tmp`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, Buffer.concat([Buffer.from(hash("sha256", body), "latin1"), body]), { flag: "wx", mode: 0o600 });
    renameSync(temporary, join(folder, key));
    dropOld(folder);
  } catch {
    remove(temporary);
  }
}

function dropOld(folder: string): void {
  const files = readdirSync(folder).flatMap((name) => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return stats === undefined ? [] : [{ name, size: stats.size, time: stats.mtimeMs }];
  });
  let size = 0;
  for (const file of files.sort((a, b) => b.time - a.time)) {
    size += file.size;
    if (size > LIMIT) remove(join(folder, file.name));
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was first.
  }
}
