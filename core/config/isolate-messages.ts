import { readSync, writeSync } from "node:fs";
import type { IsolateLimits } from "./isolate-limits.ts";

/** What the isolate's thread is started with. */
export type IsolateData = {
  readonly folder: string;
  readonly hash: string;
  /** Where parsed files of the Nix language are kept; undefined to keep none. */
  readonly parsedFolder?: string | undefined;
};

/** What its process is started with, as JSON. */
export type IsolateProcessData = IsolateData & { readonly limits: IsolateLimits };

/** What the thread tells its process. */
export type ThreadState = "evaluates" | "waits";

/** The descriptor at which the isolate's thread finds the program. */
export const ISOLATE_CHANNEL = 3;

/**
 * What goes between the program and the isolate's thread, in a process of its own: a byte for the kind, the payload's
 * length in bytes (32 bits, little-endian), the payload in UTF-8.
 */
export type IsolateMessage = { readonly kind: IsolateMessageKind; readonly text: string };

export type IsolateMessageKind =
  /** To the isolate: an `EvaluationOrder`. */
  | "evaluate"
  /** From it: a `HostCall`. To it: the `HostReply`. */
  | "call"
  /** From it: an `IsolateReply`. */
  | "reply"
  /** From it: `UnparsedBundle`. */
  | "unparsed"
  /** From it: why the runtime itself failed. */
  | "broken";

export type EvaluationOrder = { readonly request: unknown; readonly code: string };

/** The bundle's script did not parse in this engine; `line` counts from 1, 0 where it is not known. */
export type UnparsedBundle = { readonly name: string; readonly message: string; readonly line: number };

/** What the isolate's process tells besides, as lines of JSON: what ran when it was asked, or that it gives up. */
export type IsolateNotice = { readonly kind: "sampled" | "out-of-memory" | "too-slow"; readonly frames: readonly string[] };

const KINDS: readonly IsolateMessageKind[] = ["evaluate", "call", "reply", "unparsed", "broken"];
const HEADER_BYTES = 5;

export function encodeMessage(kind: IsolateMessageKind, text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  bytes.writeUInt8(KINDS.indexOf(kind));
  bytes.writeUInt32LE(length, 1);
  bytes.write(text, HEADER_BYTES);
  return bytes;
}

/** Waits until all is written: the descriptor blocks. */
export function writeMessage(fd: number, kind: IsolateMessageKind, text: string): void {
  const bytes = encodeMessage(kind, text);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Waits for the next message; undefined when the other side has closed. */
export function readMessage(fd: number): IsolateMessage | undefined {
  const header = readExactly(fd, HEADER_BYTES);
  if (header === undefined) return undefined;
  const payload = readExactly(fd, header.readUInt32LE(1));
  return payload === undefined ? undefined : { kind: kindOf(header), text: payload.toString("utf8") };
}

function readExactly(fd: number, length: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const read = readSync(fd, bytes, at, length - at, null);
    if (read === 0) return undefined;
    at += read;
  }
  return bytes;
}

/** Takes a stream's chunks and tells each message as soon as it is whole. */
export function createMessageReader(onMessage: (message: IsolateMessage) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let length = 0;
  let needed = HEADER_BYTES;
  return (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    while (length >= needed) {
      const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      const end = HEADER_BYTES + bytes.readUInt32LE(1);
      chunks = [bytes];
      needed = end;
      if (length < end) return;
      const rest = bytes.subarray(end);
      chunks = [rest];
      length = rest.length;
      needed = HEADER_BYTES;
      onMessage({ kind: kindOf(bytes), text: bytes.toString("utf8", HEADER_BYTES, end) });
    }
  };
}

function kindOf(header: Buffer): IsolateMessageKind {
  const kind = KINDS[header.readUInt8()];
  if (kind === undefined) throw new Error("not a message of the isolate");
  return kind;
}
