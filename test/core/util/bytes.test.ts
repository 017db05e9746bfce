import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToByteString, byteStringToBytes } from "../../../core/util/bytes.ts";

test("byte strings hold any bytes, of any length, and come back as they were", () => {
  for (const length of [0, 1, 64, 65, 256, 8192, 8193, 100_000]) {
    for (const [kind, at] of [["every byte", (i: number) => i & 0xff], ["ASCII", (i: number) => i & 0x7f], ["UTF-8's marks", (i: number) => [0xef, 0xbb, 0xbf][i] ?? 0x41]] as const) {
      const bytes = Uint8Array.from({ length }, (_, i) => at(i));
      const text = bytesToByteString(bytes);
      assert.equal(text, Buffer.from(bytes).toString("latin1"), `${length} of ${kind}`);
      assert.deepEqual(byteStringToBytes(text), bytes);
    }
  }
});

test("a character that is no byte is an error", () => {
  assert.throws(() => byteStringToBytes("a\u0100"), { name: "RangeError", message: /U\+100 at 1/ });
});
