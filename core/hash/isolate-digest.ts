import type { ByteString } from "../util/bytes.ts";
import type { HashAlgorithm } from "./hash-algorithm.ts";

/** Hashes for the isolate, from outside of its realm: texts in, base-16 digits out. An empty text: hash it yourself. */
export type IsolateDigest = (algorithm: HashAlgorithm, text: ByteString) => string;
