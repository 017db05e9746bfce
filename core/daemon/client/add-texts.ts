import { hashBytes } from "../../hash/hash.ts";
import { describeText } from "../../store/add-text.ts";
import type { LocalStore, TextToAdd } from "../../store/store.ts";
import { makeTextPath } from "../../store-path/make-store-path.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import { byteStringToBytes } from "../../util/bytes.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import type { PackedText } from "./pack-texts.ts";

/**
 * Adds texts to a daemon's store: all that are missing go in one stream, each after what it refers to, since the list has
 * that order.
 *
 * @param send is not called where nothing is missing
 */
export async function addTexts(store: Pick<LocalStore, "storeDir" | "addTemporaryRoot" | "queryValidPaths">, texts: readonly TextToAdd[], send: (missing: readonly PackedText[]) => Promise<unknown>): Promise<StorePath[]> {
  const packed = texts.map(({ name, contents, references }): PackedText => {
    const bytes = typeof contents === "string" ? byteStringToBytes(contents) : contents;
    const hash = hashBytes("sha256", bytes);
    const path = makeTextPath({ name, hash, references, storeDir: store.storeDir });
    return { contents: bytes, info: { path, ...describeText(bytes), references: [...new Set(references)].sort(compareByteStrings), contentAddress: { method: "text", hash } } };
  });
  const paths = packed.map(({ info }) => info.path);
  await store.addTemporaryRoot(...paths);
  const valid = await store.queryValidPaths(paths);
  const missing = new Map(packed.filter(({ info }) => !valid.has(info.path)).map((text) => [text.info.path, text]));
  if (missing.size > 0) await send([...missing.values()]);
  return paths;
}
