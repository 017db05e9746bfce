import type { Trust } from "../../cache/trust.ts";
import type { BuildOptions } from "../../build/build-options.ts";
import type { LocalStore } from "../../store/store.ts";
import type { ProgressListener } from "../../util/progress.ts";
import type { Section, WireReader } from "../wire/wire-reader.ts";
import type { WireWriter } from "../wire/wire-writer.ts";
import type { MessageSender } from "./message-sender.ts";

/** What a client may say of how its builds are done. */
export type SessionSettings = {
  readonly keepFailed: boolean;
  readonly keepGoing: boolean;
  /** Undefined: as the machine's settings say. */
  readonly jobs: number | undefined;
  readonly cores: number | undefined;
  readonly useSubstitutes: boolean;
  /** Those that the client asks for and may; undefined: as the machine's settings say. */
  readonly substituters: readonly string[] | undefined;
  /** Further settings of Nix's that this client may make, as they stand in `nix.conf`. */
  readonly others: ReadonlyMap<string, string>;
};

export const defaultSessionSettings: SessionSettings = { keepFailed: false, keepGoing: false, jobs: undefined, cores: undefined, useSubstitutes: true, substituters: undefined, others: new Map() };

/** What a daemon works with; what it is told by the machine. */
export type DaemonHost = {
  /** For clients that ask. */
  readonly version: string;
  /** One for each client: what it uses is kept alive for as long as it stays. */
  openStore(): Promise<LocalStore>;
  buildOptions(store: LocalStore, settings: SessionSettings, io: { readonly signal: AbortSignal; readonly report: ProgressListener }): Promise<BuildOptions>;
  /** Whose signatures count for what untrusted clients bring. */
  readonly trust: Trust;
  /** What untrusted clients may ask for besides the machine's own substituters. */
  readonly trustedSubstituters: readonly string[];
  /** The machine's own. */
  readonly substituters: readonly string[];
  /** What is no fault of a client. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

/** One client's connection. */
export type Session = {
  readonly host: DaemonHost;
  readonly store: LocalStore;
  readonly trusted: boolean;
  /** Of the version that both speak. */
  readonly minor: number;
  readonly reader: WireReader;
  readonly writer: WireWriter;
  readonly messages: MessageSender;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  settings: SessionSettings;
  /** By the settings as they are; made once. */
  buildOptions(): Promise<BuildOptions>;
  /** Does what a request asks for, once it is read; the client hears what goes on. Its answer follows. */
  work<T>(run: () => Promise<T>): Promise<T>;
  /** The same, with bytes in frames that are read as part of the work. They are read to their end in any case. */
  workWithFrames<T>(run: (bytes: Section) => Promise<T>): Promise<T>;
};

/** The client was told; the session goes on. */
export class RequestFailed extends Error {}
