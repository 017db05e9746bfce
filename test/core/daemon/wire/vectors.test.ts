import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { readBuildResult, writeBuildResult, type WireBuildResult } from "../../../../core/daemon/wire/build-result.ts";
import { formatDerivedPath, parseDerivedPath, type DerivedPath } from "../../../../core/daemon/wire/derived-path.ts";
import { readOptionalContentAddress, readOptionalPath, readPath, writeOptionalContentAddress, writeOptionalPath, writePath } from "../../../../core/daemon/wire/path-codec.ts";
import { readPathInfo, writePathInfo } from "../../../../core/daemon/wire/path-info-codec.ts";
import type { WireReader } from "../../../../core/daemon/wire/wire-reader.ts";
import type { WireWriter } from "../../../../core/daemon/wire/wire-writer.ts";
import { formatHash } from "../../../../core/hash/hash.ts";
import { parseSignature } from "../../../../core/narinfo/signature.ts";
import { contentAddressToJson } from "../../../../core/store-path/content-address.ts";
import { getVector, getVectorJson, readVectors } from "../../../golden/vectors.ts";
import { readerOf, written } from "./byte-streams.ts";

const STORE = "/nix/store";

describe("the protocol's values, as the reference writes them", () => {
  let vectors: ReadonlyMap<string, Uint8Array>;
  before(async () => {
    vectors = await readVectors();
  });

  /** Each value of the vector is read, shown as its JSON shows it, and written to the same bytes, whatever pieces the bytes come in. */
  async function check<T>(name: string, read: (reader: WireReader) => Promise<T>, write: (writer: WireWriter, value: T) => void, show: (value: T, expected: unknown) => unknown): Promise<void> {
    const bytes = getVector(vectors, `store/${name}.bin`);
    const expected = getVectorJson(vectors, `store/${name}.json`) as readonly unknown[];
    assert.ok(expected.length > 0);
    for (const size of [bytes.length, 1, 7]) {
      const reader = readerOf(bytes, size);
      const values: T[] = [];
      for (let i = 0; i < expected.length; i++) values.push(await read(reader));
      assert.ok(await reader.atEnd(), `${name}: bytes are left`);
      assert.deepEqual(values.map((value, i) => show(value, expected[i])), expected);
      const again = await written((writer) => {
        for (const value of values) write(writer, value);
      });
      assert.deepEqual(Buffer.from(again), Buffer.from(bytes));
    }
  }

  for (const protocol of ["worker-protocol", "serve-protocol", "common-protocol"]) {
    it(`reads and writes strings, paths and content addresses of the ${protocol}`, async () => {
      await check(`${protocol}/string`, (reader) => reader.text(), (writer, text) => writer.text(text), (text) => text);
      await check(`${protocol}/store-path`, (reader) => readPath(reader, STORE), (writer, path) => writePath(writer, path, STORE), (path) => path);
      await check(`${protocol}/optional-store-path`, (reader) => readOptionalPath(reader, STORE), (writer, path) => writeOptionalPath(writer, path, STORE), (path) => path ?? null);
      await check(`${protocol}/content-address`, readOptionalContentAddress, writeOptionalContentAddress, (address) => contentAddressToJson(address!));
      await check(`${protocol}/optional-content-address`, readOptionalContentAddress, writeOptionalContentAddress, (address) => (address === undefined ? null : contentAddressToJson(address)));
    });
  }

  it("reads and writes lists of lists", async () => {
    const bytes = getVector(vectors, "store/worker-protocol/vector.bin");
    const reader = readerOf(bytes, 5);
    const first = [await reader.strings(), await reader.strings(), await reader.strings()];
    const nested = await reader.list(() => reader.strings());
    assert.ok(await reader.atEnd());
    assert.deepEqual([...first, nested], getVectorJson(vectors, "store/worker-protocol/vector.json"));
    const again = await written((writer) => {
      for (const list of first) writer.strings(list);
      writer.list(nested, (list) => writer.strings(list));
    });
    assert.deepEqual(Buffer.from(again), Buffer.from(bytes));
  });

  it("reads and writes what is said of a path", async () => {
    await check(
      "worker-protocol/valid-path-info-1.16",
      (reader) => readPathInfo(reader, STORE),
      (writer, info) => writePathInfo(writer, info, STORE),
      (info) => ({
        ca: info.contentAddress === undefined ? null : contentAddressToJson(info.contentAddress),
        deriver: info.deriver ?? null,
        narHash: formatHash(info.narHash, "sri"),
        narSize: info.narSize,
        path: info.path,
        references: info.references,
        registrationTime: info.registrationTime,
        signatures: info.signatures.map((text) => ({ keyName: parseSignature(text).keyName, sig: Buffer.from(parseSignature(text).bytes).toString("base64") })),
        storeDir: STORE,
        ultimate: info.ultimate,
        version: 3,
      }),
    );
  });

  it("reads and writes derived paths", async () => {
    await check(
      "worker-protocol/derived-path-1.30",
      async (reader) => parseDerivedPath(await reader.string(), STORE),
      (writer, derived: DerivedPath) => writer.string(formatDerivedPath(derived, STORE)),
      (derived) => (derived.kind === "opaque" ? derived.path : { drvPath: derived.drvPath, outputs: derived.outputs ?? ["*"] }),
    );
  });

  for (const minor of [27, 28, 29, 37]) {
    it(`reads and writes results of builds at 1.${minor}`, async () => {
      await check(
        `worker-protocol/build-result-1.${minor}`,
        (reader) => readBuildResult(reader, { minor }),
        (writer, result) => writeBuildResult(writer, result, { minor }),
        showBuildResult,
      );
    });
  }

  it("reads the trust of a client", async () => {
    const reader = readerOf(getVector(vectors, "store/worker-protocol/optional-trusted-flag.bin"));
    assert.deepEqual([await reader.number(), await reader.number(), await reader.number()], [0, 1, 2]);
    assert.deepEqual(getVectorJson(vectors, "store/worker-protocol/optional-trusted-flag.json"), [null, true, false]);
  });
});

/** The JSON leaves out what does not go with the status, and some of the versions. */
function showBuildResult(result: WireBuildResult, expected: unknown): unknown {
  const shape = expected as Readonly<Record<string, unknown>>;
  const outputs = [...result.builtOutputs].map(([name, output]) => [
    name,
    { dependentRealisations: {}, id: `sha256:${output.derivationHash}!${name}`, outPath: output.path, signatures: output.signatures },
  ]);
  const all: Readonly<Record<string, unknown>> = {
    ...result,
    errorMsg: result.errorMessage,
    success: ["Built", "Substituted", "AlreadyValid", "ResolvesToAlreadyValid"].includes(result.status),
    builtOutputs: Object.fromEntries(outputs),
  };
  return Object.fromEntries(Object.keys(shape).map((key) => [key, all[key]]));
}
