import { execFileSync } from "node:child_process";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Evaluator } from "../nix/evaluator.ts";
import { NixError } from "../nix/nix-error.ts";
import type { NixFetcher, NixSource } from "../nix/nix-fetcher.ts";
import { callFlake } from "../nix/flake/evaluate-flake.ts";
import { isFollowed, parseFlakeLock, type LockNode } from "../nix/flake/flake-lock.ts";
import { lockFlake } from "../nix/flake/lock-flake.ts";
import { Attrs, type Slot, type Value } from "../nix/value.ts";
import type { FlakePurpose } from "./evaluation-protocol.ts";
import { byteStringToBytes, fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";

export type FlakeOptions = {
  /** What a relative path is relative to. */
  readonly folder: ByteString;
  /** Whether a lock file that is not as it should be is written, where the flake is a folder of this machine. */
  readonly writeLock: boolean;
  readonly updates?: ReadonlySet<ByteString> | undefined;
  readonly ignoreLock?: boolean | undefined;
};

/** A flake that a command line names, locked as its files say; its lock file is made or mended first. */
export function openFlake(e: Evaluator, fetcher: NixFetcher, text: ByteString, options: FlakeOptions): Value {
  const ref = fetcher.parseFlakeRef(text, { folder: options.folder });
  const lock = { isPure: false, updates: options.updates, ignoreLock: options.ignoreLock };
  const locked = lockFlake(e, fetcher, ref, lock);
  if (locked.text === locked.present || locked.lock.inputs.size === 0 && locked.present === undefined) return callFlake(e, fetcher, locked);
  const folder = findLocalFolder(locked.flake.resolved);
  if (!options.writeLock || folder === undefined) return callFlake(e, fetcher, locked);
  const unlocked = findUnlocked(fetcher, locked.lock);
  if (unlocked !== undefined) {
    e.io.log(`warning: Not writing lock file of flake '${fetcher.formatFlakeRef(locked.flake.resolved)}' because it has an unlocked input ('${unlocked}'). Use '--allow-dirty-locks' to allow this anyway.`);
    return callFlake(e, fetcher, locked);
  }
  const file = join(folder, "flake.lock");
  const changes = describeChanges(fetcher, locked.present === undefined ? undefined : parseFlakeLock(locked.present, toByteString(file)), locked.lock);
  const shown = toByteString(file);
  e.io.log(locked.present === undefined ? `warning: creating lock file "${shown}": \n${changes}` : `warning: updating lock file "${shown}"${changes === "" ? "" : `:\n${changes}`}`);
  writeFileSync(`${file}.tmp-${process.pid}`, byteStringToBytes(locked.text));
  renameSync(`${file}.tmp-${process.pid}`, file);
  if (locked.flake.resolved["type"] === "git" && locked.present === undefined) addToIndex(folder);
  // The file belongs to the flake's own tree.
  return callFlake(e, fetcher, lockFlake(e, fetcher, ref, { isPure: false }));
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
export function selectFlakeAttribute(e: Evaluator, flake: Value, path: ByteString, options: { readonly system: ByteString; readonly shown: ByteString; readonly purpose?: FlakePurpose | undefined }): Slot {
  const { system, purpose = "build" } = options;
  const own = purpose === "shell" ? { first: "devShells", single: "devShell" } : purpose === "run" ? { first: "apps", single: "defaultApp" } : undefined;
  const candidates =
    path === ""
      ? [...(own === undefined ? [] : [`${own.first}.${system}.default`, `${own.single}.${system}`]), `packages.${system}.default`, `defaultPackage.${system}`]
      : path.startsWith(".")
        ? [path.slice(1)]
        : [...(own === undefined ? [] : [`${own.first}.${system}.${path}`]), `packages.${system}.${path}`, `legacyPackages.${system}.${path}`, path];
  for (const candidate of candidates) {
    let at: Slot | undefined = flake;
    for (const name of splitAttributePath(candidate)) {
      const set: Value = e.force(at);
      at = set instanceof Attrs ? set.get(name) : undefined;
      if (at === undefined) break;
    }
    if (at !== undefined) return at;
  }
  const [last, ...others] = [...candidates].reverse();
  const list = others.length === 0 ? `'${last!}'` : `${others.reverse().map((one) => `'${one}'`).join(", ")} or '${last!}'`;
  throw new NixError("eval", `flake '${options.shown}' does not provide attribute ${list}`);
}

/** `a."b.c".d`. */
function splitAttributePath(path: ByteString): readonly ByteString[] {
  return (path.match(/"[^"]*"|[^."]+/g) ?? []).map((name) => name.replace(/^"|"$/g, ""));
}
