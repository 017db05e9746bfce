/** The older protocol of stores, over `nix-store --serve`. Nix: libstore/serve-protocol.hh. */
export const SERVE = {
  clientMagic: 0x390c9deb,
  serverMagic: 0x5452eecb,
  major: 2,
  minor: 7,
  queryValidPaths: 1,
  queryPathInfos: 2,
  dumpStorePath: 3,
  importPaths: 4,
  buildPaths: 6,
  queryClosure: 7,
  buildDerivation: 8,
  addToStoreNar: 9,
} as const;
