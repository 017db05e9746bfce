import { closeSync, openSync, readSync } from "node:fs";
import { bytesToByteString } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import { toFsPath } from "../../../fetch/archive/tree-path.ts";

/** What of an ELF file decides how it finds its libraries. */
export type Elf = {
  /** Whether it is loaded at addresses of its own choice: not position independent. */
  readonly fixedAddress: boolean;
  readonly interpreter?: ByteString;
  readonly soname?: ByteString;
  readonly needed: readonly ByteString[];
  /** DT_RUNPATH, or DT_RPATH where that is not there. */
  readonly runPath?: ByteString;
};

/** A file's beginning: enough for its headers, and for the first line of a script. */
export function readStart(path: ByteString): Buffer {
  const descriptor = openSync(toFsPath(path), "r");
  try {
    const start = Buffer.allocUnsafe(START);
    return start.subarray(0, readSync(descriptor, start, 0, START, 0));
  } finally {
    closeSync(descriptor);
  }
}

const START = 4096;

export function isElf(start: Buffer): boolean {
  return start.length >= 64 && start.readUInt32BE(0) === 0x7f454c46;
}

/**
 * The dynamic part of an ELF file; undefined for one that has none (objects, kernel modules, static programs)
 * or is not for 64-bit little-endian machines.
 */
export function readElf(path: ByteString, start: Buffer): Elf | undefined {
  const type = start.readUInt16LE(16);
  if (start[4] !== 2 || start[5] !== 1 || (type !== ET_EXEC && type !== ET_DYN)) return undefined;
  const descriptor = openSync(toFsPath(path), "r");
  try {
    const read = (offset: number, length: number): Buffer => {
      if (offset + length <= start.length) return start.subarray(offset, offset + length);
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    };
    const segments = readSegments(start, read);
    const dynamic = segments.find(({ type: kind }) => kind === PT_DYNAMIC);
    if (dynamic === undefined) return undefined;
    const interpreter = segments.find(({ type: kind }) => kind === PT_INTERP);
    return {
      fixedAddress: type === ET_EXEC,
      ...readDynamic(read(dynamic.offset, dynamic.size), segments, read),
      ...(interpreter === undefined ? {} : { interpreter: untilZero(read(interpreter.offset, interpreter.size)) }),
    };
  } finally {
    closeSync(descriptor);
  }
}

/** Whether no two loaded segments of an ELF file share a page, which would make one overwrite the other. */
export function hasSoundSegments(path: ByteString): boolean {
  const start = readStart(path);
  const loads = readSegments(start, (offset, length) => start.subarray(offset, offset + length))
    .filter(({ type }) => type === PT_LOAD)
    .sort((a, b) => a.address - b.address);
  return loads.every(({ address, size }, i) => {
    const next = loads[i + 1];
    return next === undefined || Math.ceil((address + size) / PAGE) <= Math.floor(next.address / PAGE);
  });
}

const PAGE = 4096;
const [ET_EXEC, ET_DYN] = [2, 3];
const [PT_LOAD, PT_DYNAMIC, PT_INTERP] = [1, 2, 3];
const [DT_NEEDED, DT_STRTAB, DT_SONAME, DT_RPATH, DT_RUNPATH, DT_STRSZ] = [1, 5, 14, 15, 29, 10];

type Segment = { readonly type: number; readonly offset: number; readonly address: number; readonly size: number };
type Read = (offset: number, length: number) => Buffer;

function readSegments(start: Buffer, read: Read): readonly Segment[] {
  const [offset, size, count] = [Number(start.readBigUInt64LE(32)), start.readUInt16LE(54), start.readUInt16LE(56)];
  const table = read(offset, size * count);
  if (size < 56 || table.length < size * count) return [];
  return Array.from({ length: count }, (_, i) => ({
    type: table.readUInt32LE(i * size),
    offset: Number(table.readBigUInt64LE(i * size + 8)),
    address: Number(table.readBigUInt64LE(i * size + 16)),
    size: Number(table.readBigUInt64LE(i * size + 32)),
  }));
}

function readDynamic(table: Buffer, segments: readonly Segment[], read: Read): Omit<Elf, "interpreter" | "fixedAddress"> {
  const entries: [tag: number, value: number][] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = Number(table.readBigUInt64LE(at));
    if (tag === 0) break;
    entries.push([tag, Number(table.readBigUInt64LE(at + 8))]);
  }
  const find = (tag: number): number | undefined => entries.find(([candidate]) => candidate === tag)?.[1];
  const address = find(DT_STRTAB) ?? 0;
  const holder = segments.find((segment) => segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.size);
  if (holder === undefined) return { needed: [] };
  const strings = read(address - holder.address + holder.offset, Math.min(find(DT_STRSZ) ?? 0, holder.size));
  const text = (offset: number | undefined): ByteString | undefined => (offset === undefined ? undefined : untilZero(strings.subarray(offset)));
  const soname = text(find(DT_SONAME));
  const runPath = text(find(DT_RUNPATH) ?? find(DT_RPATH));
  return {
    needed: entries.flatMap(([tag, value]) => (tag === DT_NEEDED ? [text(value) ?? ""] : [])),
    ...(soname === undefined ? {} : { soname }),
    ...(runPath === undefined ? {} : { runPath }),
  };
}

function untilZero(bytes: Buffer): ByteString {
  const end = bytes.indexOf(0);
  return bytesToByteString(end < 0 ? bytes : bytes.subarray(0, end));
}
