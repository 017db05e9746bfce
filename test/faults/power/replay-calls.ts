/** Does on a simulated disk what strace saw a process do. */
import { readFileSync } from "node:fs";
import type { SimulatedDisk } from "./simulated-disk.ts";

/** The calls that change a file system or say what a descriptor is. */
export const TRACED = [
  ...["open", "openat", "creat", "close", "dup", "dup2", "dup3", "lseek", "write", "writev", "pwrite64", "pwritev", "copy_file_range", "sendfile"],
  ...["ftruncate", "truncate", "fallocate", "fsync", "fdatasync", "syncfs", "sync", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"],
  ...["mkdir", "mkdirat", "rmdir", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat"],
] as const;

type Descriptor = { readonly inode: number; position: number; readonly append: boolean };

/** @param base the real folder that the disk stands for; calls outside of it are left out */
export function replayCalls(disk: SimulatedDisk, base: string, trace: string): void {
  const replay = new Replay(disk, base);
  const begun = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const [, pid, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || rest === undefined || rest.startsWith("+++") || rest.startsWith("---")) continue;
    if (rest.endsWith("<unfinished ...>")) {
      const text = rest.slice(0, -"<unfinished ...>".length).trimEnd();
      // Its number may be given to another's file before it is said to be done.
      if (text.startsWith("close(")) replay.close(Number(/\d+/.exec(text)![0]));
      else begun.set(pid, text);
      continue;
    }
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed !== null) {
      const start = begun.get(pid);
      begun.delete(pid);
      if (start !== undefined) replay.call(start + resumed[2]!);
    } else replay.call(rest);
  }
}

class Replay {
  readonly #disk: SimulatedDisk;
  readonly #base: string;
  readonly #descriptors = new Map<number, Descriptor>();
  /** Files beyond the disk, which nothing changes meanwhile. */
  readonly #outside = new Map<number, { readonly file: string; position: number }>();

  constructor(disk: SimulatedDisk, base: string) {
    this.#disk = disk;
    this.#base = base;
  }

  close(descriptor: number): void {
    this.#descriptors.delete(descriptor);
    this.#outside.delete(descriptor);
  }

  call(line: string): void {
    const match = /^(\w+)\((.*)\)\s+= (-?\d+)/s.exec(line);
    if (match === null) return;
    const [, name, text, returned] = match as unknown as [string, string, string, string];
    const result = Number(returned);
    if (result < 0) return;
    const args = splitArguments(text);
    const disk = this.#disk;
    switch (name) {
      case "open":
        return this.#open(this.#locate(undefined, args[0]!), args[1]!, args[2], result);
      case "creat":
        return this.#open(this.#locate(undefined, args[0]!), "O_WRONLY|O_CREAT|O_TRUNC", args[1], result);
      case "openat":
        this.#open(this.#locate(args[0], args[1]!), args[2]!, args[3], result);
        if (!this.#descriptors.has(result)) this.#outside.set(result, { file: bytesOf(args[1]!).toString(), position: 0 });
        return;
      case "close":
        return this.close(Number(args[0]));
      case "dup": case "dup2": case "dup3": {
        const found = this.#descriptors.get(Number(args[0]));
        if (found === undefined) this.#descriptors.delete(result);
        else this.#descriptors.set(result, found);
        return;
      }
      case "lseek": {
        const found = this.#descriptors.get(Number(args[0]));
        if (found !== undefined) found.position = result;
        return;
      }
      case "write": case "writev": {
        const found = this.#descriptors.get(Number(args[0]));
        if (found === undefined) return;
        const bytes = bytesOf(args[1]!).subarray(0, result);
        const offset = found.append ? disk.read(found.inode).length : found.position;
        disk.write(found.inode, offset, bytes);
        found.position = offset + bytes.length;
        return;
      }
      case "pwrite64": case "pwritev": {
        const found = this.#descriptors.get(Number(args[0]));
        if (found !== undefined) disk.write(found.inode, Number(args.at(-1)), bytesOf(args[1]!).subarray(0, result));
        return;
      }
      case "copy_file_range": case "sendfile": {
        const [from, to] = name === "sendfile" ? [args[1]!, args[0]!] : [args[0]!, args[2]!];
        const [source, target] = [this.#descriptors.get(Number(from)), this.#descriptors.get(Number(to))];
        if (target === undefined) return;
        const outside = this.#outside.get(Number(from));
        if (source === undefined && outside === undefined) throw new Error(`a file is copied in that was not seen to be opened: ${line.slice(0, 200)}`);
        const bytes = source === undefined ? readFileSync(outside!.file) : disk.read(source.inode);
        const { position } = (source ?? outside)!;
        disk.write(target.inode, target.position, bytes.subarray(position, position + result));
        target.position += result;
        (source ?? outside)!.position += result;
        return;
      }
      case "ftruncate": {
        const found = this.#descriptors.get(Number(args[0]));
        if (found !== undefined) disk.truncate(found.inode, Number(args[1]));
        return;
      }
      case "truncate": {
        const found = this.#existing(undefined, args[0]!);
        if (found !== undefined) disk.truncate(found, Number(args[1]));
        return;
      }
      case "fallocate": {
        const found = this.#descriptors.get(Number(args[0]));
        if (found !== undefined && args[1] === "0") disk.truncate(found.inode, Math.max(disk.read(found.inode).length, Number(args[2]) + Number(args[3])));
        return;
      }
      case "fsync": case "fdatasync": {
        const found = this.#descriptors.get(Number(args[0]));
        if (found !== undefined) disk.sync(found.inode);
        return;
      }
      case "syncfs":
        if (this.#descriptors.has(Number(args[0]))) disk.syncAll();
        return;
      case "sync":
        return disk.syncAll();
      case "rename":
        return this.#rename(this.#locate(undefined, args[0]!), this.#locate(undefined, args[1]!), false);
      case "renameat": case "renameat2":
        return this.#rename(this.#locate(args[0], args[1]!), this.#locate(args[2], args[3]!), (args[4] ?? "").includes("RENAME_EXCHANGE"));
      case "link":
        return this.#link(this.#locate(undefined, args[0]!), this.#locate(undefined, args[1]!));
      case "linkat":
        return this.#link(this.#locate(args[0], args[1]!), this.#locate(args[2], args[3]!));
      case "unlink": case "rmdir":
        return this.#remove(this.#locate(undefined, args[0]!));
      case "unlinkat":
        return this.#remove(this.#locate(args[0], args[1]!));
      case "mkdir":
        return this.#make(this.#locate(undefined, args[0]!), "folder", args[1]!);
      case "mkdirat":
        return this.#make(this.#locate(args[0], args[1]!), "folder", args[2]!);
      case "symlink":
        return this.#make(this.#locate(undefined, args[1]!), "link", "0777", bytesOf(args[0]!).toString());
      case "symlinkat":
        return this.#make(this.#locate(args[1], args[2]!), "link", "0777", bytesOf(args[0]!).toString());
      case "chmod":
        return this.#setMode(this.#existing(undefined, args[0]!), args[1]!);
      case "fchmodat":
        return this.#setMode(this.#existing(args[0], args[1]!), args[2]!);
      case "fchmod":
        return this.#setMode(this.#descriptors.get(Number(args[0]))?.inode, args[1]!);
      default:
        throw new Error(`the call "${name}" is traced and not replayed`);
    }
  }

  #setMode(inode: number | undefined, mode: string): void {
    if (inode !== undefined) this.#disk.setMode(inode, parseInt(mode, 8) & 0o7777);
  }

  #open(place: Place | undefined, flags: string, mode: string | undefined, descriptor: number): void {
    this.#descriptors.delete(descriptor);
    if (place === undefined) return;
    let inode = place.name === "" ? place.folder : this.#disk.find(place.folder, place.name);
    if (inode !== undefined && this.#disk.kindOf(inode) === "link" && !flags.includes("O_NOFOLLOW")) inode = this.#follow(place, inode);
    if (inode === undefined) {
      if (!flags.includes("O_CREAT")) return;
      // The mask of the process that was traced; the modes that matter are set.
      inode = this.#disk.make(place.folder, place.name, { kind: "file", mode: parseInt(mode ?? "0644", 8) & 0o7755 });
    } else if (flags.includes("O_TRUNC") && this.#disk.read(inode).length > 0) this.#disk.truncate(inode, 0);
    this.#descriptors.set(descriptor, { inode, position: 0, append: flags.includes("O_APPEND") });
  }

  #make(place: Place | undefined, kind: "folder" | "link", mode: string, target?: string): void {
    if (place !== undefined) this.#disk.make(place.folder, place.name, { kind, mode: parseInt(mode, 8) & (kind === "folder" ? 0o7755 : 0o7777), ...(target === undefined ? {} : { target }) });
  }

  #remove(place: Place | undefined): void {
    if (place !== undefined) this.#disk.setNames([{ ...place, inode: undefined }]);
  }

  #link(from: Place | undefined, to: Place | undefined): void {
    if (to === undefined) return;
    if (from === undefined) throw new Error("a file outside is linked in");
    this.#disk.setNames([{ ...to, inode: this.#disk.find(from.folder, from.name) }]);
  }

  #rename(from: Place | undefined, to: Place | undefined, exchange: boolean): void {
    if (from === undefined && to === undefined) return;
    if (from === undefined || to === undefined) throw new Error("a file is moved over the border");
    const inode = this.#disk.find(from.folder, from.name);
    this.#disk.setNames([{ ...from, inode: exchange ? this.#disk.find(to.folder, to.name) : undefined }, { ...to, inode }]);
  }

  #existing(folder: string | undefined, path: string): number | undefined {
    const place = this.#locate(folder, path);
    if (place === undefined) return undefined;
    const inode = place.name === "" ? place.folder : this.#disk.find(place.folder, place.name);
    return inode !== undefined && this.#disk.kindOf(inode) === "link" ? this.#follow(place, inode) : inode;
  }

  #follow(place: Place, link: number): number | undefined {
    const target = this.#disk.targetOf(link);
    const found = target.startsWith("/") ? this.#walk(target) : this.#descend(place.folder, target.split("/"));
    return found === undefined ? undefined : found.name === "" ? found.folder : this.#disk.find(found.folder, found.name);
  }

  /** The folder and the name that a call's path means; undefined outside of the disk. */
  #locate(folder: string | undefined, quoted: string): Place | undefined {
    const path = bytesOf(quoted).toString("latin1");
    if (path.startsWith("/")) return this.#walk(path);
    const start = folder === undefined || folder === "AT_FDCWD" ? undefined : this.#descriptors.get(Number(folder))?.inode;
    return start === undefined ? undefined : this.#descend(start, path.split("/"));
  }

  #walk(path: string): Place | undefined {
    const opened = /^\/proc\/self\/fd\/(\d+)(?:\/(.*))?$/s.exec(path);
    if (opened !== null) {
      const inode = this.#descriptors.get(Number(opened[1]))?.inode;
      return inode === undefined ? undefined : opened[2] === undefined ? { folder: inode, name: "" } : this.#descend(inode, opened[2].split("/"));
    }
    if (path !== this.#base && !path.startsWith(`${this.#base}/`)) return undefined;
    return this.#descend(this.#disk.root, path.slice(this.#base.length).split("/"));
  }

  #descend(start: number, names: readonly string[]): Place | undefined {
    const kept = names.filter((name) => name !== "" && name !== ".");
    let folder = start;
    for (const [i, name] of kept.entries()) {
      if (name === "..") throw new Error(`a path with "..": ${names.join("/")}`);
      if (i === kept.length - 1) return { folder, name };
      let next = this.#disk.find(folder, name);
      if (next !== undefined && this.#disk.kindOf(next) === "link") next = this.#follow({ folder, name }, next);
      if (next === undefined) return undefined;
      folder = next;
    }
    return { folder, name: "" };
  }
}

type Place = { readonly folder: number; readonly name: string };

/** At commas outside of strings and brackets; strings are hexadecimal, so no quote is within one. */
function splitArguments(text: string): string[] {
  const result: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    else if (character === "," && depth === 0) {
      result.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  result.push(text.slice(start).trim());
  return result;
}

/** Of all strings in an argument, as `writev` has several. */
function bytesOf(argument: string): Buffer {
  if (/"\.\.\./.test(argument)) throw new Error("strace cut a string short");
  return Buffer.concat([...argument.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) => Buffer.from(hex!.replaceAll("\\x", ""), "hex")));
}
