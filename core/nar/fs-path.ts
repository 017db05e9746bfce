import type { ByteString } from "../util/bytes.ts";

const NON_ASCII = /[^\x00-\x7f]/;

/** A path of any bytes as Node's file system takes it: a Buffer only where a string would be encoded otherwise. */
export function toFsPath(path: ByteString): string | Buffer {
  return NON_ASCII.test(path) ? Buffer.from(path, "latin1") : path;
}

/** For messages. */
export function showFsPath(path: ByteString): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
