import type { Readable, Writable } from "node:stream";
import type { Derivation } from "../../derivation/derivation.ts";
import type { OutputId, Realisation } from "../../narinfo/realisation.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { WireBuildResult } from "../wire/build-result.ts";

/** Bytes to and from another store, by a socket or a program's standard input and output. */
export type RemoteStream = {
  readonly input: Readable;
  readonly output: Writable;
  /** For errors. */
  readonly name: string;
  /** What the program said, when it ends badly. */
  readonly complaint?: (() => string) | undefined;
  close(): Promise<void>;
};

/** A derivation to be built there, its inputs already there. */
export type RemoteBuild = {
  readonly drvPath: StorePath;
  readonly derivation: Derivation;
  /** Input sources and the outputs of input derivations that it uses. */
  readonly inputs: readonly StorePath[];
};

/** One request at a time to another store; which protocol it speaks is its own matter. */
export type RemoteConnection = AsyncDisposable & {
  /** Whether what is between requests is lost; such a connection is not used again. */
  readonly broken: boolean;
  /** Whether the other side takes our word; undefined where it does not say. */
  readonly trusted: boolean | undefined;
  findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined>;
  queryValidPaths(paths: readonly StorePath[], options?: { readonly substitute?: boolean }): Promise<Set<StorePath>>;
  narFromPath(path: StorePath): AsyncIterable<Uint8Array>;
  addNar(info: NewPathInfo, nar: AsyncIterable<Uint8Array>): Promise<void>;
  /** Not with the older protocol, as `addRealisation`. */
  findRealisation?(id: OutputId): Promise<Realisation | undefined>;
  addRealisation?(realisation: Realisation): Promise<void>;
  buildDerivation(build: RemoteBuild, onLine: (line: string) => void): Promise<WireBuildResult>;
};
