import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { openLocalStore } from "../../core/store/local-store.ts";
import { removeTree } from "../../core/store/file-tree.ts";
import { runTsos, startTsos, type TsosOptions, type TsosProcess, type TsosResult } from "../cli/tsos-process.ts";

/** A project with a store, caches and state of its own, all in one folder. */
export type PrivateStore = AsyncDisposable & {
  /** Holds all the others; its name is in no other process's command line or mounts. */
  readonly folder: string;
  readonly project: string;
  readonly root: string;
  readonly realStoreDir: string;
  readonly options: TsosOptions;
  start(...args: readonly string[]): TsosProcess;
  run(...args: readonly string[]): Promise<TsosResult>;
  /** Runs a command that must succeed. */
  do(...args: readonly string[]): Promise<string>;
  forgetCaches(): void;
};

export function createPrivateStore(env: Readonly<Record<string, string>>): PrivateStore {
  const folder = mkdtempSync(join(tmpdir(), "tsos-faults-"));
  const project = join(folder, "project");
  const root = join(folder, "store");
  mkdirSync(project);
  const options: TsosOptions = { cwd: project, stateFolder: join(folder, "own"), env };
  const words = (args: readonly string[]): readonly string[] => ["--store", root, ...args];
  return {
    folder,
    project,
    root,
    realStoreDir: join(root, "nix/store"),
    options,
    start: (...args) => startTsos(words(args), options),
    run: (...args) => runTsos(words(args), options),
    async do(...args) {
      const result = await runTsos(words(args), options);
      assert.equal(result.code, 0, `tsos ${args.join(" ")}: ${result.stderr}${result.stdout}`);
      return result.stdout.trim();
    },
    forgetCaches: () => rmSync(join(folder, "own/cache"), { recursive: true, force: true }),
    [Symbol.asyncDispose]: async () => void (await removeTree(folder)),
  };
}

/** Nothing that a killed command started is alive a moment later. */
export async function assertNoProcesses(store: PrivateStore, session: number): Promise<void> {
  let found: readonly string[] = [];
  for (let tries = 0; tries < 100; tries++) {
    found = findProcesses(store.folder, session);
    if (found.length === 0) return;
    await sleep(50);
  }
  assert.deepEqual(found, [], "processes outlive the command that started them");
}

/** Those of its session, and those that name its folder or have something of it mounted, as sandboxes have. */
function findProcesses(folder: string, session: number): readonly string[] {
  return readdirSync("/proc").flatMap((id) => {
    if (!/^\d+$/.test(id) || Number(id) === process.pid) return [];
    const read = (name: string): string => {
      try {
        return readFileSync(`/proc/${id}/${name}`, "latin1");
      } catch {
        return "";
      }
    };
    const stat = read("stat");
    const [state, , , itsSession] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (stat === "" || state === "Z" || state === "X") return [];
    const command = read("cmdline").replaceAll("\0", " ");
    return Number(itsSession) === session || command.includes(folder) || read("mountinfo").includes(folder) ? [`${id} ${command}`] : [];
  });
}

const execute = promisify(execFile);

/** As tsos sees it and, where Debian's `nix-store` is installed, as the reference does. Says whether that was asked. */
export async function assertSound(store: PrivateStore): Promise<boolean> {
  const verified = await store.run("store", "verify", "--check-contents", "--json");
  assert.deepEqual([verified.code, JSON.parse(verified.stdout)], [0, { version: 1, problems: [] }], verified.stderr);
  try {
    const { stderr } = await execute("nix-store", ["--verify", "--check-contents", "--store", `local?root=${store.root}`], { env: { PATH: process.env["PATH"], HOME: store.folder } });
    assert.doesNotMatch(stderr, /error|modified|disappeared|not valid|warning/i);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** After a collection: no temporary folder, lock, trash or half-made path, in the store, its state or the caches. */
export async function assertNoLeftovers(store: PrivateStore): Promise<void> {
  await using opened = await openLocalStore({ root: store.root });
  const valid = new Set<string>(await opened.queryAllValidPaths());
  const present = readdirSync(store.realStoreDir).filter((name) => name !== ".links");
  assert.deepEqual(present.filter((name) => !valid.has(name)), [], "the store holds what is no valid path");
  assert.equal(present.length, valid.size);
  // This process's own file is one of them.
  const roots = readdirSync(join(opened.stateDir, "temproots")).filter((name) => !name.startsWith(`${process.pid}-`));
  assert.deepEqual(roots, [], "temporary roots of processes that are gone");
  const files = readdirSync(store.folder, { recursive: true, encoding: "utf8" }).filter((name) => !name.startsWith("store/nix/store/"));
  assert.deepEqual(files.filter((name) => /(^|[/.])tmp\b|\.lock$|\.chroot$|trash|tsos-new|tsos-build/.test(name) && !/^store\/nix\/var\/nix\/(gc|profiles\/.*)\.lock$/.test(name)), []);
}
