import assert from "node:assert/strict";
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dumpPath, narHashOfPath } from "../../../core/nar/dump-path.ts";
import { restorePath } from "../../../core/nar/restore-path.ts";
import { removeTree } from "../../../core/store/file-tree.ts";
import { sendFile } from "../../../core/util/send-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-restore-"));
after(() => removeTree(folder));

const MEGABYTE = 1 << 20;

/** An archive of files of many sizes, around those at which the kernel is asked. */
async function makeArchive(): Promise<string> {
  const tree = join(folder, "tree");
  mkdirSync(tree);
  for (const size of [0, 5, MEGABYTE - 1, MEGABYTE, MEGABYTE + 8, 2 * MEGABYTE + 3, 70 * MEGABYTE + 1]) writeFileSync(join(tree, String(size)), Buffer.alloc(size, `${size} `));
  const archive = join(folder, "archive");
  const parts: Uint8Array[] = [];
  for await (const chunk of dumpPath(tree)) parts.push(chunk);
  writeFileSync(archive, Buffer.concat(parts));
  return archive;
}

function* read(file: number): Iterable<Uint8Array> {
  const buffer = new Uint8Array(100_000);
  for (let length; (length = readSync(file, buffer, 0, buffer.length, null)) > 0; ) yield buffer.subarray(0, length);
}

test("large contents go from file to file within the kernel, and a short archive is found to be short", async () => {
  const archive = await makeArchive();
  const wanted = await narHashOfPath(join(folder, "tree"));
  const restore = async (name: string): Promise<number> => {
    const file = openSync(archive, "r");
    let sent = 0;
    try {
      const size = await restorePath(read(file), join(folder, name), {
        send: (to, most) => {
          // Less than was asked for is no error.
          const count = sendFile(file, to, Math.min(most, 30 * MEGABYTE));
          sent += count;
          return count;
        },
      });
      assert.equal(size, wanted.size);
      return sent;
    } finally {
      closeSync(file);
    }
  };
  const sent = await restore("whole");
  assert.ok(sent > 70 * MEGABYTE, `${sent} bytes were sent`);
  assert.deepEqual(await narHashOfPath(join(folder, "whole")), wanted);

  truncateSync(archive, wanted.size - 5 * MEGABYTE);
  await assert.rejects(restore("short"), { code: "nar.truncated" });
});

test("what the kernel cannot send is read", async () => {
  const target = join(folder, "read");
  await restorePath(dumpPath(join(folder, "tree")), target, { send: () => 0 });
  assert.deepEqual(await narHashOfPath(target), await narHashOfPath(join(folder, "tree")));
});
