import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from "node:fs";
import path from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { hashBytes } from "../hash/hash.ts";
import { encodeNix32 } from "../hash/nix32.ts";
import { formatStorePath, isStorePathBaseName, type StorePath } from "../store-path/store-path.ts";
import { encodeUtf8 } from "../util/bytes.ts";
import type { StoreDatabase } from "./database.ts";
import type { StoreLayout } from "./store-layout.ts";
import type { Root } from "./store.ts";
import { findTemporaryRoots } from "./temporary-roots.ts";

export type FindRootsOptions = {
  /** Leave stale links and dead processes' files alone. */
  readonly keepStale?: boolean | undefined;
  /** Automatic roots whose link outside of the store was last made before this keep nothing. */
  readonly rootsOlderThan?: Date | undefined;
};

/** Everything that keeps a path alive: links, profiles, running processes, temporary roots. Nix: libstore/gc.cc. */
export function findAllRoots(layout: StoreLayout, database: StoreDatabase, options: FindRootsOptions = {}): Root[] {
  const found = [...findLinkRoots(layout, options), ...findProcessRoots(layout)];
  const valid = database.validOf(found.map((root) => root.path));
  // A temporary root may be a path that is only about to become valid.
  return [...found.filter((root) => valid.has(root.path)), ...findTemporaryRoots(layout, options)];
}

/** The store path that an absolute logical path is or lies in. */
export function storePathOfTarget(layout: StoreLayout, target: string): StorePath | undefined {
  for (const folder of layout.storeDir === layout.realStoreDir ? [layout.storeDir] : [layout.storeDir, layout.realStoreDir]) {
    if (!target.startsWith(`${folder}/`)) continue;
    const name = target.slice(folder.length + 1).split("/", 1)[0]!;
    if (isStorePathBaseName(name)) return name;
  }
  return undefined;
}

function findLinkRoots(layout: StoreLayout, { keepStale = false, rootsOlderThan }: FindRootsOptions): Root[] {
  const roots: Root[] = [];
  const auto = `${layout.gcRootsDir}/auto/`;
  const visit = (file: string): void => {
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.isDirectory()) {
      for (const name of readdirSync(file)) unlessUnreadable(() => visit(`${file}/${name}`));
    } else if (stats.isSymbolicLink()) {
      const target = readlinkSync(file);
      const direct = storePathOfTarget(layout, target);
      if (direct !== undefined) {
        roots.push({ path: direct, source: file });
        return;
      }
      const link = path.resolve(path.dirname(file), target);
      const linked = lstatSync(link, { throwIfNoEntry: false });
      if (linked === undefined) {
        // The user removed the link that it stands for.
        if (file.startsWith(auto) && !keepStale) unlinkSync(file);
      } else if (rootsOlderThan !== undefined && file.startsWith(auto) && linked.mtimeMs < rootsOlderThan.getTime()) {
        // Expired. The link stays where it is, its user's own; it is a root again once it is made again.
        if (!keepStale) unlinkSync(file);
      } else if (linked.isSymbolicLink()) {
        const indirect = storePathOfTarget(layout, readlinkSync(link));
        if (indirect !== undefined) roots.push({ path: indirect, source: link });
      }
    } else if (stats.isFile()) {
      const name = path.basename(file);
      if (isStorePathBaseName(name)) roots.push({ path: name, source: file });
    }
  };
  unlessUnreadable(() => visit(layout.gcRootsDir));
  unlessUnreadable(() => visit(layout.profilesDir));
  return roots;
}

/** A link through names that loop, or are longer than can be named, leads nowhere: else any user could stop the collector with one. */
const NOT_THERE: ReadonlySet<unknown> = new Set(["ENOENT", "EACCES", "ENOTDIR", "ESRCH", "EPERM", "EINVAL", "ELOOP", "ENAMETOOLONG"]);

/** What may go away, or belong to another user, while it is read. */
function unlessUnreadable(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!NOT_THERE.has(error instanceof Error && "code" in error ? error.code : undefined)) throw error;
  }
}

const PROCESS_ID = /^[0-9]+$/;
const KERNEL_FILES = ["/proc/sys/kernel/modprobe", "/proc/sys/kernel/fbsplash", "/proc/sys/kernel/poweroff_cmd"];

/** What running programs have open, mapped, as folder or in their environment. */
function findProcessRoots(layout: StoreLayout): Root[] {
  const roots = new Map<string, Root>();
  const add = (target: string, source: string): void => {
    const found = storePathOfTarget(layout, target);
    if (found !== undefined) roots.set(`${found}\0${source}`, { path: found, source });
  };
  const inText = new RegExp(`${layout.storeDir.replace(/[^\w/]/g, "\\$&")}/[0-9a-z]+[0-9a-zA-Z+\\-._?=]*`, "g");
  unlessUnreadable(() => {
    for (const name of readdirSync("/proc")) {
      if (!PROCESS_ID.test(name)) continue;
      const folder = `/proc/${name}`;
      for (const link of ["exe", "cwd"]) unlessUnreadable(() => add(readlinkSync(`${folder}/${link}`), `${folder}/${link}`));
      unlessUnreadable(() => {
        for (const descriptor of readdirSync(`${folder}/fd`)) {
          unlessUnreadable(() => add(readlinkSync(`${folder}/fd/${descriptor}`), `${folder}/fd/${descriptor}`));
        }
      });
      unlessUnreadable(() => {
        for (const line of readFileSync(`${folder}/maps`, "latin1").split("\n")) {
          const start = line.indexOf("/");
          if (start >= 0) add(line.slice(start), `${folder}/maps`);
        }
      });
      unlessUnreadable(() => {
        for (const [target] of readFileSync(`${folder}/environ`, "latin1").matchAll(inText)) add(target, `${folder}/environ`);
      });
    }
  });
  for (const file of KERNEL_FILES) unlessUnreadable(() => add(readFileSync(file, "latin1").trim(), file));
  return [...roots.values()];
}

/** `gcroots/auto/<hash of the link's path>` → link, as Nix names it, so that the same link is there once. */
export function addIndirectRoot(layout: StoreLayout, link: string): void {
  const absolute = path.resolve(link);
  const folder = `${layout.gcRootsDir}/auto`;
  mkdirSync(folder, { recursive: true });
  replaceLink(absolute, `${folder}/${encodeNix32(hashBytes("sha1", encodeUtf8(absolute)).digest)}`);
}

/** @throws TsosError `store.root-in-the-way` when something else than a link into the store is at `link` */
export function addPermanentRoot(layout: StoreLayout, target: StorePath, link: string): void {
  addIndirectRoot(layout, linkTo(layout, target, link));
}

/** Makes `link` point to `target` and gives its absolute path. @throws TsosError `store.root-in-the-way` */
export function linkTo(layout: StoreLayout, target: StorePath, link: string): string {
  const absolute = path.resolve(link);
  const stats = lstatSync(absolute, { throwIfNoEntry: false });
  if (stats !== undefined && !(stats.isSymbolicLink() && storePathOfTarget(layout, readlinkSync(absolute)) !== undefined)) {
    throw new TsosError({
      code: "store.root-in-the-way",
      message: `cannot make the root "${absolute}": something else than a link into the store is there`,
      hint: "remove it, or choose another name for the link",
      data: { link: absolute },
    });
  }
  mkdirSync(path.dirname(absolute), { recursive: true });
  replaceLink(formatStorePath(target, layout.storeDir), absolute);
  return absolute;
}

/** Makes `link` point to `target` in one step: nobody ever sees it missing. */
export function replaceLink(target: string, link: string): void {
  for (let n = 0; ; n++) {
    const temporary = `${path.dirname(link)}/.${n}_${process.pid}_${path.basename(link)}`;
    if (existsSync(temporary)) continue;
    try {
      symlinkSync(target, temporary);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") continue;
      throw error;
    }
    renameSync(temporary, link);
    return;
  }
}
