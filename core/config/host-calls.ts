import { lstatSync, readFileSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import type { DeclaredInput, InputTree } from "../option/declared-input.ts";
import { TsosError } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";
import { answerSourceCall } from "./folder-files.ts";
import { hashFolder, readTracked, stampTree, type FileRead } from "./file-read.ts";
import type { HostCall, HostReply } from "./protocol.ts";
import type { SourceCall } from "./source-files.ts";
import { fromByteString } from "../util/bytes.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";

export type HostCalls = {
  answer(call: HostCall): Promise<HostReply>;
  reads(): readonly FileRead[];
  /** Whether `reads` tells all: not when a configuration was refused something, which it may have caught. */
  isRepeatable(): boolean;
};

/** What an evaluation asks for beyond its project's own files. */
export type InputCalls = {
  fetch(declared: DeclaredInput): Promise<InputTree>;
  root(name: string): string;
  /** Notes a module of an input that the bundle does not hold. */
  demand(input: string, path: string): void;
};

/**
 * Answers what an evaluation asks of its project and its inputs, and notes what was looked at. Nothing outside is
 * shown.
 */
export function createHostCalls(project: string, runtime: RuntimeFolder, inputs: InputCalls): HostCalls {
  const root = realpathSync(project);
  const reads = new Map<string, FileRead>();
  const note = (read: FileRead): void => {
    reads.set(`${read.kind} ${read.path}`, read);
  };

  let isRepeatable = true;

  return {
    reads: () => [...reads.values()],
    isRepeatable: () => isRepeatable,
    async answer(call) {
      try {
        return await answer(call);
      } catch (error) {
        // One that is missing is noted; why else something was refused need not show in what was read.
        if (!(error instanceof TsosError && error.code === "config.missing-file")) isRepeatable = false;
        throw error;
      }
    },
  };

  /** A Nix expression of the project reads, lists or copies one of its files. */
  async function answerProject(call: SourceCall): Promise<string> {
    // Those of inputs are answered where they are asked.
    if (call.input !== undefined) throw new Error("the isolate's thread knows no such input");
    const target = call.path === "" ? root : join(root, fromByteString(call.path));
    if (!isWithin(root, target)) throw new Error("a path leads upwards");
    const kind = lstatSync(target, { throwIfNoEntry: false });
    if (kind === undefined) note({ kind: "missing", path: target });
    else if (kind.isSymbolicLink()) note({ kind: "link", path: target, target: readlinkSync(target) });
    else if (call.ask === "list") note({ kind: "folder", path: target, hash: hashFolder(target) });
    else if (call.ask === "read") note(readTracked(target).read);
    else if (call.ask === "hash") {
      const takenAt = Date.now();
      const { stamp } = stampTree(target);
      const { hashTree } = await import("./hash-tree.ts");
      note({ kind: "tree", path: target, stamp, takenAt, hash: await hashTree(target) });
    } else if (kind.isFile()) note(readTracked(target).read);
    return answerSourceCall(root, call);
  }

  async function answer(call: HostCall): Promise<HostReply> {
    if (call.op === "activator") return { op: "activator", text: readFileSync(join(runtime.folder, "activate.mjs"), "utf8") };
    if (call.op === "fetch-input") {
      const tree = await inputs.fetch(call.declared);
      return { op: "fetch-input", tree, root: realpathSync(inputs.root(call.declared.name)) };
    }
    if (call.op === "source") return { op: "source", answer: await answerProject(call) };
    if (call.op === "demand-module") {
      inputs.demand(call.input, call.path);
      throw new TsosError({ code: "config.restart", message: "the evaluation starts again" });
    }
    const base = call.input === undefined ? root : realpathSync(inputs.root(call.input));
    const place = call.input === undefined ? "project" : `input "${call.input}"`;
    const path = findInTree(base, place, call.folder, call.path, note);
    switch (call.op) {
      case "read-file": {
        if (statSync(path).isDirectory()) throw new TsosError({ code: "config.not-a-file", message: `"${call.path}" is a folder`, hint: `path("${call.path}") copies a folder to the store` });
        const { bytes, read } = readTracked(path);
        note(read);
        try {
          return { op: "read-file", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
        } catch (cause) {
          throw new TsosError({ code: "config.not-text", message: `"${call.path}" is not UTF-8 text`, hint: `path("${call.path}") copies any file to the store`, cause });
        }
      }
      case "read-folder": {
        note({ kind: "folder", path, hash: hashFolder(path) });
        const entries = readdirSync(path, { withFileTypes: true }).map((entry) => ({ name: entry.name, kind: entry.isDirectory() ? ("folder" as const) : entry.isSymbolicLink() ? ("symlink" as const) : ("file" as const) }));
        return { op: "read-folder", entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)) };
      }
      case "hash-path": {
        checkTree(base, place, path, call.path);
        const takenAt = Date.now();
        const { stamp } = stampTree(path);
        const { hashTree } = await import("./hash-tree.ts");
        const hash = await hashTree(path);
        note({ kind: "tree", path, stamp, takenAt, hash });
        const file = relative(base, path).split(sep).join("/");
        // The project's own folder may have any name.
        return { op: "hash-path", file, name: path === base ? "source" : basename(path), narHash: hash };
      }
    }
  }
}

/** @throws TsosError when there is nothing at `path`, or it leads out of the tree that it is looked for in. */
function findInTree(root: string, place: string, folder: string, path: string, note: (read: FileRead) => void): string {
  if (isAbsolute(path)) {
    throw new TsosError({ code: "config.outside-project", message: `"${path}" is an absolute path: a configuration sees its own project and its inputs only`, hint: `name it relative to the file that you write, such as "./site"; what lies elsewhere is an input: { url: ${JSON.stringify(`path:${path}`)} }` });
  }
  if (path === "" || path.includes("\0")) {
    throw new TsosError({ code: "config.bad-path", message: `${JSON.stringify(path)} is not a path`, hint: 'name a file or folder relative to the file that you write, such as "./site"' });
  }
  const target = resolve(root, folder, path);
  // Neither whether anything is there outside nor where the project lies is told: a configuration may catch this.
  const outside = (how: string): TsosError => new TsosError({ code: "config.outside-project", message: `"${path}" ${how}`, hint: OUTSIDE });
  if (!isWithin(root, target)) throw outside(`is outside of the ${place}`);
  let real: string;
  try {
    real = realpathSync(target);
  } catch {
    note({ kind: "missing", path: target });
    throw new TsosError({ code: "config.missing-file", message: `there is no "${path}"`, hint: suggestFile(root, place, target, path) });
  }
  if (!isWithin(root, real)) throw outside(`leads out of the ${place} by a symbolic link`);
  if (real !== target) note({ kind: "link", path: target, target: real });
  return real;
}

const OUTSIDE = 'copy what you need into the project, or make it an input: defineInputs({ other: "path:../other" })';

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}

function suggestFile(root: string, place: string, target: string, path: string): string {
  const inside = relative(root, target);
  // Git gives what it knows of.
  const untracked = place === "project" ? "" : "; of a Git repository an input has only what was added to it";
  try {
    const near = findNearestName(basename(target), readdirSync(dirname(target)));
    return near === undefined ? `it would be "${inside}" in the ${place}${untracked}` : `did you mean "${path.slice(0, path.length - basename(path).length)}${near}"?`;
  } catch {
    return `it would be "${inside}" in the ${place}, and there is no folder "${dirname(inside)}"${untracked}`;
  }
}

/** A link is copied as a link, so one that leads elsewhere would mean something else in the store. */
function checkTree(root: string, place: string, path: string, asked: string): void {
  const stats = lstatSync(path);
  if (stats.isDirectory()) {
    for (const name of readdirSync(path)) checkTree(root, place, join(path, name), `${asked}/${name}`);
  } else if (stats.isSymbolicLink()) {
    const target = readlinkSync(path);
    const end = resolve(dirname(path), target);
    if (isAbsolute(target) || !isWithin(root, end)) {
      throw new TsosError({ code: "config.outside-project", message: `the symbolic link "${asked}" leads out of the ${place}, to "${target}"`, hint: "replace it by what it points to" });
    }
  } else if (!stats.isFile()) {
    throw new TsosError({ code: "config.bad-file", message: `"${asked}" is neither a file, a folder nor a symbolic link`, hint: "remove it, or name a folder without it" });
  }
}
