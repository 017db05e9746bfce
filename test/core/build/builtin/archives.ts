import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** Archives made by hand, so that they can be as hostile as one likes. */

export type TestEntry = {
  readonly path: string;
  readonly type?: string;
  readonly mode?: number;
  readonly contents?: string;
  readonly target?: string;
};

export function makeTar(entries: readonly TestEntry[], end = true): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, type = "0", mode = 0o644, contents = "", target = "" } of entries) {
    const data = Buffer.from(contents);
    const header = Buffer.alloc(512);
    header.write(path, 0, 100, "latin1");
    header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(target, 157, 100, "latin1");
    header.write("ustar\0" + "00", 257);
    let sum = 0;
    for (const byte of header) sum += byte;
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  if (end) blocks.push(Buffer.alloc(1024));
  return Buffer.concat(blocks);
}

export function makeAr(members: readonly (readonly [name: string, bytes: Buffer])[]): Buffer {
  const parts: Buffer[] = [Buffer.from("!<arch>\n")];
  for (const [name, bytes] of members) {
    parts.push(Buffer.from(`${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`), bytes);
    if (bytes.length % 2 === 1) parts.push(Buffer.from("\n"));
  }
  return Buffer.concat(parts);
}

export function makeDeb(entries: readonly TestEntry[], control = "Package: demo\nVersion: 1.0-1\n"): Buffer {
  return makeAr([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync(makeTar([{ path: "./control", contents: control }]))],
    ["data.tar.gz", gzipSync(makeTar(entries))],
  ]);
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
