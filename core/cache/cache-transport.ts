/** A file of a cache on its way. */
export type CacheFile = {
  readonly size?: number | undefined;
  /** Read once. */
  readonly body: AsyncIterable<Uint8Array>;
};

/** How the files of a binary cache are read and written: a folder, an HTTP server, a bucket. */
export type CacheTransport = AsyncDisposable & {
  /** Its address as messages show it: without credentials. */
  readonly url: string;
  /**
   * The file at `path` (relative, without `..`), from the byte `offset` on; undefined where there is none.
   *
   * @throws TsosError `cache.unreachable` when the cache cannot say
   */
  read(path: string, options: { readonly signal?: AbortSignal | undefined; readonly offset?: number }): Promise<CacheFile | undefined>;
  /**
   * The same of a small file, as a whole.
   *
   * @throws TsosError `cache.unreachable`, `cache.broken-transfer`, `fetch.too-long` where it has more than `limit` bytes
   */
  readWhole(path: string, options: { readonly signal?: AbortSignal | undefined; readonly limit: number }): Promise<Uint8Array | undefined>;
  exists(path: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * Puts a file there in one step: readers see all of it or none. `file` is where its contents are on disk, or they
   * are given as they are.
   */
  write(path: string, contents: Uint8Array | { readonly file: string; readonly size: number }, options: { readonly contentType: string; readonly signal?: AbortSignal | undefined }): Promise<void>;
};
