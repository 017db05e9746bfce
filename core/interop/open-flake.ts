import { bestMatches } from "../nix/suggestions.ts";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Evaluator } from "../nix/evaluator.ts";
import { NixError } from "../nix/nix-error.ts";
import type { NixFetcher, NixSource } from "../nix/nix-fetcher.ts";
import { callFlake } from "../nix/flake/evaluate-flake.ts";
import { findNode, isFollowed, parseFlakeLock, type LockNode } from "../nix/flake/flake-lock.ts";
import { lockFlake, whileLocking } from "../nix/flake/lock-flake.ts";
import { canonicalPath } from "../nix/canonical-path.ts";
import { Attrs, type Slot, type Value } from "../nix/value.ts";
import { byteStringToBytes, fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import type { FlakeFlags, FlakePurpose } from "./flake-flags.ts";

export type FlakeOptions = {
  /** What a relative path is relative to. */
  readonly folder: ByteString;
  /** Whether a lock file that is not as it should be is written, where the flake is a folder of this machine. */
  readonly writeLock: boolean;
  readonly updates?: ReadonlySet<ByteString> | undefined;
  readonly ignoreLock?: boolean | undefined;
  readonly flags?: FlakeFlags | undefined;
};

/** A flake that a command line names, locked as its files say; its lock file is made or mended first. */
export function openFlake(e: Evaluator, fetcher: NixFetcher, text: ByteString, options: FlakeOptions): Value {
  const ref = fetcher.parseFlakeRef(text, { folder: options.folder });
  const { flags } = options;
  const absolute = (file: ByteString): ByteString => canonicalPath(file.startsWith("/") ? file : `${options.folder}/${file}`);
  const reference = flags?.referenceLock === undefined ? undefined : absolute(flags.referenceLock);
  const lock = {
    isPure: false,
    updates: options.updates ?? new Set(flags?.updates),
    ignoreLock: options.ignoreLock ?? flags?.ignoreLock,
    overrides: new Map((flags?.overrides ?? []).map(([path, source]) => [path, fetcher.parseFlakeRef(source, { folder: options.folder, allowMissing: true })])),
    ...(reference === undefined ? {} : { referenceLock: { file: reference, text: readReferenceLock(reference) } }),
  };
  const locked = lockFlake(e, fetcher, ref, lock);
  const isSame = locked.text === locked.present || (locked.lock.inputs.size === 0 && locked.present === undefined);
  if (isSame && flags?.outputLock === undefined) return callFlake(e, fetcher, locked);
  const folder = findLocalFolder(ref);
  const top = fetcher.formatFlakeRef(ref);
  const refuse = (message: ByteString): never => whileLocking(e, fetcher, locked.flake, () => {
    throw new NixError("eval", message);
  });
  const before = locked.present === undefined ? undefined : parseFlakeLock(locked.present, reference ?? toByteString("flake.lock"));
  if (!options.writeLock) {
    sayUnwritten(e, fetcher, top, before, locked.lock);
    return callFlake(e, fetcher, locked);
  }
  if (folder === undefined && flags?.outputLock === undefined) refuse(`cannot write modified lock file of flake '${top}' (use '--no-write-lock-file' to ignore)`);
  const unlocked = findUnlocked(fetcher, locked.lock);
  if (unlocked !== undefined) {
    e.io.log(`warning: Not writing lock file of flake '${fetcher.formatFlakeRef(locked.flake.resolved)}' because it has an unlocked input ('${unlocked}'). Use '--allow-dirty-locks' to allow this anyway.`);
    return callFlake(e, fetcher, locked);
  }
  if (flags?.mayUpdate === false) refuse(`flake '${top}' requires lock file changes but they're not allowed due to '--no-update-lock-file'`);
  if (flags?.outputLock !== undefined) {
    if (flags.commit !== undefined) refuse("'--commit-lock-file' and '--output-lock-file' are incompatible");
    writeWhole(fromByteString(absolute(flags.outputLock)), locked.text);
    return callFlake(e, fetcher, locked);
  }
  const file = join(folder!, "flake.lock");
  const changes = describeChanges(fetcher, before, locked.lock);
  const shown = toByteString(file);
  const isNew = !existsSync(file);
  e.io.log(isNew ? `warning: creating lock file "${shown}": \n${changes}` : `warning: updating lock file "${shown}"${changes === "" ? "" : `:\n${changes}`}`);
  writeWhole(file, locked.text);
  const isGit = locked.flake.resolved["type"] === "git";
  if (isGit && locked.present === undefined) addToIndex(folder!);
  if (isGit && flags?.commit !== undefined) {
    const { dir } = locked.flake.resolved;
    const shownFile = `${typeof dir === "string" ? `${dir}/` : ""}flake.lock`;
    commitLock(folder!, `${flags.commit === "" ? `${shownFile}: ${isNew ? "Add" : "Update"}` : flags.commit}\n\nFlake lock file updates:\n\n${changes}\n`);
  }
  // The file belongs to the flake's own tree.
  const written = lockFlake(e, fetcher, ref, { isPure: false });
  const rev = written.flake.locked["rev"];
  if (isGit && flags?.commit !== undefined && typeof rev === "string" && rev !== locked.flake.locked["rev"]) e.io.log(`warning: committed new revision '${rev}'`);
  return callFlake(e, fetcher, written);
}

function sayUnwritten(e: Evaluator, fetcher: NixFetcher, shown: ByteString, before: LockNode | undefined, after: LockNode): void {
  e.io.log(`warning: not writing modified lock file of flake '${shown}':\n${describeChanges(fetcher, before, after)}`);
}

/** `--inputs-from`: the locked inputs of a flake, as entries of a registry. */
export function findLockedInputs(e: Evaluator, fetcher: NixFetcher, text: ByteString, folder: ByteString): readonly (readonly [from: NixSource, to: NixSource])[] {
  const ref = fetcher.parseFlakeRef(text, { folder });
  const { lock, text: wanted, present } = lockFlake(e, fetcher, ref, { isPure: false });
  const before = present === undefined ? undefined : parseFlakeLock(present, toByteString("flake.lock"));
  if (wanted !== present && !(lock.inputs.size === 0 && present === undefined)) sayUnwritten(e, fetcher, fetcher.formatFlakeRef(ref), before, lock);
  return [...lock.inputs.keys()].flatMap((id) => {
    const node = findNode(lock, [id]);
    return node?.lock === undefined ? [] : [[{ type: "indirect", id }, node.lock.locked] as const];
  });
}

function writeWhole(file: string, text: ByteString): void {
  writeFileSync(`${file}.tmp-${process.pid}`, byteStringToBytes(text));
  renameSync(`${file}.tmp-${process.pid}`, file);
}

/** Undefined where there is none, which counts as an empty one. */
function readReferenceLock(file: ByteString): ByteString | undefined {
  const path = fromByteString(file);
  return existsSync(path) ? readFileSync(path, "latin1") : undefined;
}

const BULLET = toByteString("•");
const ARROW = toByteString("→");

/** What is new, gone, or another, a line or two for each input, in their order. Nix: libflake/lockfile.cc */
export function describeChanges(fetcher: NixFetcher, before: LockNode | undefined, after: LockNode): ByteString {
  const [old, now] = [before === undefined ? new Map<ByteString, ByteString>() : describeInputs(fetcher, before), describeInputs(fetcher, after)];
  const lines = [...new Set([...old.keys(), ...now.keys()])].sort(compareByteStrings).flatMap((path) => {
    const [from, to] = [old.get(path), now.get(path)];
    if (to === undefined) return [`${BULLET} Removed input '${path}'`];
    if (from === undefined) return [`${BULLET} Added input '${path}':`, `    ${to}`];
    return from === to ? [] : [`${BULLET} Updated input '${path}':`, `    ${from}`, `  ${ARROW} ${to}`];
  });
  return lines.join("\n");
}

function describeInputs(fetcher: NixFetcher, root: LockNode): ReadonlyMap<ByteString, ByteString> {
  const found = new Map<ByteString, ByteString>();
  const seen = new Set<LockNode>([root]);
  const visit = (node: LockNode, path: readonly ByteString[]): void => {
    for (const [id, input] of node.inputs) {
      const at = [...path, id];
      if (isFollowed(input)) found.set(at.join("/"), `follows '${input.join("/")}'`);
      else if (input.lock !== undefined) {
        const { lastModified } = input.lock.locked;
        const date = typeof lastModified === "number" ? ` (${new Date(lastModified * 1000).toISOString().slice(0, 10)})` : "";
        found.set(at.join("/"), `'${fetcher.formatFlakeRef(input.lock.locked)}'${date}`);
        if (!seen.has(input)) visit(input, at);
        seen.add(input);
      }
    }
  };
  visit(root, []);
  return found;
}

/** Where a flake lies that is a folder of this machine, and not a commit. */
export function findLocalFolder(resolved: NixSource): string | undefined {
  const { type, path, url, ref, rev, dir } = resolved;
  const below = typeof dir === "string" ? fromByteString(dir) : "";
  if (type === "path" && typeof path === "string") return join(fromByteString(path), below);
  if (type !== "git" || typeof url !== "string" || !url.startsWith("file://") || ref !== undefined || rev !== undefined) return undefined;
  const folder = decodeURIComponent(fromByteString(url).slice("file://".length).replace(/\?.*$/, ""));
  return existsSync(join(folder, ".git")) ? join(folder, below) : undefined;
}

/** So that git, and with it the next fetch, knows of the file. */
function addToIndex(folder: string): void {
  try {
    execFileSync("git", ["-C", folder, "-c", "core.hooksPath=/dev/null", "add", "--intent-to-add", "--", "flake.lock"], { stdio: "ignore" });
  } catch {
    // It is ignored, or git is not there: then the flake goes without.
  }
}

/** @throws NixError where git refuses it */
function commitLock(folder: string, message: ByteString): void {
  try {
    // Standard error is git's, and what its hooks say.
    execFileSync("git", ["-C", folder, "commit", "flake.lock", "-F", "-"], { input: byteStringToBytes(message), stdio: ["pipe", "ignore", "inherit"] });
  } catch (error) {
    const status = error instanceof Error && "status" in error ? error.status : undefined;
    throw new NixError("eval", typeof status === "number" ? `program "git" failed with exit code ${status}` : 'executing "git": No such file or directory');
  }
}

function findUnlocked(fetcher: NixFetcher, node: LockNode): ByteString | undefined {
  for (const input of node.inputs.values()) {
    if (isFollowed(input) || input.lock === undefined) continue;
    const { dir: _, ...source } = input.lock.locked;
    const isRelative = source["type"] === "path" && !String(source["path"]).startsWith("/");
    if (!isRelative && !fetcher.isLocked(source)) return fetcher.formatFlakeRef(source);
    const inner = findUnlocked(fetcher, input);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/**
 * What a command means by an attribute of a flake: the first of some places that has it.
 * @param path as it stands after `#`; "" for the default package
 */
export function selectFlakeAttribute(e: Evaluator, flake: Value, path: ByteString, options: { readonly system: ByteString; readonly shown: ByteString; readonly purpose?: FlakePurpose | undefined }): { readonly slot: Slot; /** Where it was found. */ readonly path: ByteString } {
  const { system, purpose = "build" } = options;
  const own = purpose === "shell" ? { first: "devShells", single: "devShell" } : purpose === "run" ? { first: "apps", single: "defaultApp" } : undefined;
  const candidates =
    path === ""
      ? [...(own === undefined ? [] : [`${own.first}.${system}.default`, `${own.single}.${system}`]), `packages.${system}.default`, `defaultPackage.${system}`]
      : path.startsWith(".")
        ? [path.slice(1)]
        : [...(own === undefined ? [] : [`${own.first}.${system}.${path}`]), `packages.${system}.${path}`, `legacyPackages.${system}.${path}`, path];
  const near = new Set<ByteString>();
  // What the flake itself gives, and not what is known of its source.
  const outputs = flake instanceof Attrs ? (flake.get("outputs") ?? flake) : flake;
  for (const candidate of candidates) {
    let at: Slot | undefined = outputs;
    for (const name of splitAttributePath(candidate)) {
      const set: Value = e.force(at);
      at = set instanceof Attrs ? set.get(name) : undefined;
      if (at !== undefined) continue;
      if (set instanceof Attrs) for (const one of bestMatches(set.shape.names, name)) near.add(one);
      break;
    }
    if (at !== undefined) return { slot: at, path: candidate };
  }
  const [last, ...others] = [...candidates].reverse();
  const list = others.length === 0 ? `'${last!}'` : `${others.reverse().map((one) => `'${one}'`).join(", ")} or '${last!}'`;
  throw new NixError("eval", `flake '${options.shown}' does not provide attribute ${list}`, undefined, [...near]);
}

/** `a."b.c".d`. */
function splitAttributePath(path: ByteString): readonly ByteString[] {
  return (path.match(/"[^"]*"|[^."]+/g) ?? []).map((name) => name.replace(/^"|"$/g, ""));
}
