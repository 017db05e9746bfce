import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { compareUtf8 } from "../util/ordering.ts";

const CHUNK = 1 << 18;

/**
 * The places, relative to both trees, where they differ in what a NAR holds: presence, kind, the executable
 * bit, contents, a link's target. The root itself is `.`. Stops after `limit` of them.
 */
export async function compareTrees(a: string, b: string, limit = 20): Promise<string[]> {
  const found: string[] = [];
  await compare(a, b, ".", found, limit);
  return found;
}

async function compare(a: string, b: string, place: string, found: string[], limit: number): Promise<void> {
  if (found.length >= limit) return;
  const [one, other] = await Promise.all([lstat(a), lstat(b)]);
  if (one.isDirectory() && other.isDirectory()) {
    const [inA, inB] = [new Set(await readdir(a)), new Set(await readdir(b))];
    for (const name of [...new Set([...inA, ...inB])].sort(compareUtf8)) {
      const inner = place === "." ? name : `${place}/${name}`;
      if (!inA.has(name) || !inB.has(name)) found.push(inner);
      else await compare(join(a, name), join(b, name), inner, found, limit);
    }
  } else if (one.isSymbolicLink() && other.isSymbolicLink()) {
    if ((await readlink(a)) !== (await readlink(b))) found.push(place);
  } else if (one.isFile() && other.isFile()) {
    const sameMode = (one.mode & 0o100) === (other.mode & 0o100);
    if (!sameMode || one.size !== other.size || !(await sameContents(a, b))) found.push(place);
  } else found.push(place);
  found.length = Math.min(found.length, limit);
}

async function sameContents(a: string, b: string): Promise<boolean> {
  await using one = await open(a);
  await using other = await open(b);
  const [left, right] = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)];
  for (let position = 0; ; ) {
    const { bytesRead } = await one.read(left, 0, CHUNK, position);
    if (bytesRead === 0) return true;
    // Of the same size, so what is missing from a short read is still to come.
    for (let got = 0; got < bytesRead; ) {
      const { bytesRead: more } = await other.read(right, got, bytesRead - got, position + got);
      if (more === 0) return false;
      got += more;
    }
    if (left.compare(right, 0, bytesRead, 0, bytesRead) !== 0) return false;
    position += bytesRead;
  }
}
