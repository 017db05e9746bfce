/** Nix: libstore/worker-protocol.hh. The numbers of the daemon protocol. */
export const CLIENT_MAGIC = 0x6e697863;
export const SERVER_MAGIC = 0x6478696f;

/** 1.38: Nix 2.26 to 2.34. */
export const PROTOCOL_MAJOR = 1;
export const PROTOCOL_MINOR = 38;

/** 1.32: Nix 2.4. Older ones have other requests for what is framed since. */
export const MINIMUM_MINOR = 32;

export const MESSAGE = {
  next: 0x6f6c6d67,
  read: 0x64617461,
  write: 0x64617416,
  last: 0x616c7473,
  error: 0x63787470,
  startActivity: 0x53545254,
  stopActivity: 0x53544f50,
  result: 0x52534c54,
} as const;

export const OPERATION = {
  isValidPath: 1,
  queryReferrers: 6,
  addToStore: 7,
  addTextToStore: 8,
  buildPaths: 9,
  ensurePath: 10,
  addTempRoot: 11,
  addIndirectRoot: 12,
  syncWithGc: 13,
  findRoots: 14,
  queryDeriver: 18,
  setOptions: 19,
  collectGarbage: 20,
  querySubstitutablePathInfo: 21,
  queryDerivationOutputs: 22,
  queryAllValidPaths: 23,
  queryPathInfo: 26,
  queryDerivationOutputNames: 28,
  queryPathFromHashPart: 29,
  querySubstitutablePathInfos: 30,
  queryValidPaths: 31,
  querySubstitutablePaths: 32,
  queryValidDerivers: 33,
  optimiseStore: 34,
  verifyStore: 35,
  buildDerivation: 36,
  addSignatures: 37,
  narFromPath: 38,
  addToStoreNar: 39,
  queryMissing: 40,
  queryDerivationOutputMap: 41,
  registerDrvOutput: 42,
  queryRealisation: 43,
  addMultipleToStore: 44,
  addBuildLog: 45,
  buildPathsWithResults: 46,
  addPermRoot: 47,
} as const;

/** Nix: libutil/logging.hh. */
export const ACTIVITY = { unknown: 0, copyPath: 100, fileTransfer: 101, realise: 102, copyPaths: 103, builds: 104, build: 105, verifyPaths: 107, substitute: 108 } as const;
export const RESULT = { buildLogLine: 101, progress: 105 } as const;
export const LEVEL = { error: 0, warning: 1, notice: 2, info: 3, talkative: 4, chatty: 5, debug: 6, vomit: 7 } as const;

/** What two sides agreed on: the form of what follows depends on it. */
export type WireVersion = { readonly minor: number; readonly storeDir: string };
