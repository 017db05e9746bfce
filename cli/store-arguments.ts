/** What `tsos store` can do. */
export const STORE_ACTIONS = ["add", "cat", "ls", "dump", "restore", "info", "closure", "why", "verify", "log", "realise", "copy", "sign", "serve", "diff", "export", "import", "optimise", "repair"] as const;

/** The command line of `tsos store`. */
export type StoreArguments = {
  readonly action: (typeof STORE_ACTIONS)[number];
  readonly paths: string[];
  readonly checkContents: boolean;
  readonly repair: boolean;
  readonly name?: string;
  readonly reverse: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly recursive: boolean;
  /** Undefined where it was not said: `copy` checks them, `verify` does not. */
  readonly checkSignatures?: boolean | undefined;
  readonly keyFile?: string[];
  readonly listen: string;
  readonly tokenFile?: string;
};
