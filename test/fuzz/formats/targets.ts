/**
 * What reads bytes that somebody hostile may have written. A target returns, or throws a `TsosError`; all else is a finding:
 * another error, more than a few seconds, more memory than `fuzz.ts` allows, or an answer that contradicts another.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { parseLockFile } from "../../../core/config/lock-file.ts";
import { readBasicDerivation } from "../../../core/daemon/wire/basic-derivation.ts";
import { readBuildResult } from "../../../core/daemon/wire/build-result.ts";
import { readError } from "../../../core/daemon/wire/error-codec.ts";
import { readPathInfo } from "../../../core/daemon/wire/path-info-codec.ts";
import { WireReader } from "../../../core/daemon/wire/wire-reader.ts";
import { serveConnection } from "../../../core/daemon/server/serve-connection.ts";
import { formatDerivation } from "../../../core/derivation/format-derivation.ts";
import { parseDerivation } from "../../../core/derivation/parse-derivation.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { readTar } from "../../../core/fetch/archive/read-tar.ts";
import { unpackArchive } from "../../../core/fetch/source/unpack-archive.ts";
import { NarReader } from "../../../core/nar/nar-reader.ts";
import { formatNarInfo, parseNarInfo } from "../../../core/narinfo/narinfo.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "../../../core/store-path/store-path.ts";
import { bytesToByteString, decodeUtf8Lossy } from "../../../core/util/bytes.ts";

export type FuzzTarget = { run(bytes: Uint8Array): Promise<void> | void };

const DRV_PATH = `${"0".repeat(32)}-x.drv` as StorePath;

async function* chunks(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The code with which it is refused, or "accepted". */
function outcome(read: () => void): string {
  try {
    read();
    return "accepted";
  } catch (error) {
    if (error instanceof TsosError) return error.code;
    throw error;
  }
}

/** Removed by who started the worker, which itself may be ended at any time. */
export const scratchFolder = (): string => join(tmpdir(), `tsos-fuzz-${process.pid}`);

/** Unpacks it beside a folder that must stay as it is. */
async function unpack(bytes: Uint8Array, name: string): Promise<void> {
  const folder = join(scratchFolder(), name);
  mkdirSync(join(folder, "outside"), { recursive: true });
  writeFileSync(join(folder, "outside/file"), "untouched");
  writeFileSync(join(folder, "archive"), bytes);
  try {
    await unpackArchive(join(folder, "archive"), join(folder, "tree"), { limits: { bytes: 1 << 20, entries: 1000 } });
  } finally {
    assert.deepEqual(readdirSync(folder).filter((one) => one !== "tree").sort(), ["archive", "outside"], "nothing is written beside the tree");
    assert.deepEqual(readdirSync(join(folder, "outside")), ["file"]);
    if (existsSync(join(folder, "tree"))) rmSync(join(folder, "tree"), { recursive: true });
  }
}

const wire = (read: (reader: WireReader) => Promise<unknown>): FuzzTarget => ({
  async run(bytes) {
    await read(new WireReader(chunks(bytes, 4096), 1 << 20));
  },
});

export const FUZZ_TARGETS: Readonly<Record<string, FuzzTarget>> = {
  nar: {
    run(bytes) {
      const read = (size: number): string =>
        outcome(() => {
          const reader = new NarReader({});
          for (let at = 0; at < bytes.length && !reader.done; at += size) reader.write(bytes.subarray(at, at + size));
          reader.end();
        });
      const whole = read(bytes.length || 1);
      // Where its chunks end must not matter.
      for (const size of [1, 7, 64]) assert.equal(read(size), whole, `in chunks of ${size}`);
    },
  },
  aterm: {
    run(bytes) {
      const derivation = parseDerivation(bytes, "x");
      const text = formatDerivation(derivation);
      assert.equal(formatDerivation(parseDerivation(text, "x")), text, "what was written is read as the same");
    },
  },
  narinfo: {
    run(bytes) {
      const text = formatNarInfo(parseNarInfo(decodeUtf8Lossy(bytes)));
      assert.equal(formatNarInfo(parseNarInfo(text)), text, "what was written is read as the same");
    },
  },
  lock: { run: (bytes) => void parseLockFile(decodeUtf8Lossy(bytes), "tsos.lock") },
  tar: {
    async run(bytes) {
      await readTar(chunks(bytes, 100), () => ({ write() {}, end() {} })).catch((error: unknown) => {
        if (!(error instanceof TsosError)) throw error;
      });
      await unpack(bytes, "tar");
    },
  },
  zip: { run: (bytes) => unpack(bytes, "zip") },
  "wire-derivation": wire((reader) => readBasicDerivation(reader, DRV_PATH, DEFAULT_STORE_DIR)),
  "wire-result": wire((reader) => readBuildResult(reader, { minor: 38 })),
  "wire-path-info": wire((reader) => readPathInfo(reader, DEFAULT_STORE_DIR)),
  "wire-error": wire(readError),
  session: {
    async run(bytes) {
      const root = join(scratchFolder(), "session");
      const failures: unknown[] = [];
      const [input, output] = [new PassThrough(), new PassThrough()];
      output.resume();
      const host = {
        version: "fuzz",
        openStore: () => openLocalStore({ root }),
        buildOptions: () => Promise.reject(new TsosError({ code: "fuzz.no-build", message: "nothing is built here" })),
        trust: { publicKeys: [], requireSignatures: true },
        trustedSubstituters: [],
        substituters: [],
        onError: (error: unknown) => void failures.push(error),
      };
      const served = serveConnection(host, { input, output, trusted: false });
      input.end(bytes);
      await served;
      const bug = failures.find((error) => !(error instanceof TsosError));
      if (bug !== undefined) throw bug;
    },
  },
};

/** For messages. */
export function printable(bytes: Uint8Array): string {
  return JSON.stringify(bytesToByteString(bytes.subarray(0, 200)));
}
