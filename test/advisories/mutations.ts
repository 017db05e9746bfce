/** Each defence taken out: which text of which file becomes what, and the test that must notice. */
export type Mutation = {
  readonly test: string;
  readonly file: "builds" | "builtins" | "archives" | "trees" | "caches" | "daemon";
  /** All are made at once: some holes have two walls. */
  readonly edits: readonly (readonly [file: string, from: string, to: string])[];
};

const realisations = "core/daemon/server/add-operations.ts";

export const MUTATIONS: readonly Mutation[] = [
  {
    test: "does not change what was registered",
    file: "builds",
    edits: [["core/store/register-build-outputs.ts", "(output.contentAddress !== undefined || output.floating !== undefined) && output.ownFiles !== true", "output.contentAddress === null"]],
  },
  {
    test: "CVE-2026-39860",
    file: "builds",
    edits: [
      ["core/store/register-build-outputs.ts", "folder = `${temporaryFolder()}/fixed-${output.name}`", "folder = `${dirname(output.folder)}/fixed-${output.name}`"],
      ["core/nar/restore-path.ts", "constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW", "constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC"],
    ],
  },
  { test: "opens it to nobody while it runs", file: "builds", edits: [["core/store/temporary-folder.ts", "{ mode: 0o700 }", "{ mode: 0o755 }"]] },
  {
    test: "a kept folder is its owner's alone",
    file: "builds",
    edits: [["core/build/keep-build-folder.ts", "await chmod(folder, 0o700)", "await chmod(folder, 0o777)"]],
  },
  {
    test: "CVE-2024-52867, CVE-2025-52992",
    file: "builds",
    edits: [["core/store/register-build-outputs.ts", "equalHashes(wanted, got) ? undefined : hashMismatch(derivationPath, output.name, { wanted, got, kept: path })", "undefined"]],
  },
  { test: "bits that a build's files have by whatever way are gone", file: "builds", edits: [["core/store/canonicalise.ts", "if (mode !== wanted && mode !== 0o555) changeMode", "if (mode === 0) changeMode"]] },
  { test: "by every call that could set them", file: "builds", edits: [["core/build/seccomp-filter.ts", "const S_ISUID_OR_S_ISGID = 0o6000;", "const S_ISUID_OR_S_ISGID = 0;"]] },
  { test: "by every call that could set them", file: "builds", edits: [["core/build/seccomp-filter.ts", "for (const [call, flags, mode] of table.openCalls) {", "for (const [call, flags, mode] of table.openCalls.slice(9)) {"]] },
  { test: "by every call that could set them", file: "builds", edits: [["core/build/seccomp-filter.ts", "for (const call of table.hiddenCalls)", "for (const call of table.hiddenCalls.slice(9))"]] },
  { test: "are another network's to a build", file: "builds", edits: [["core/build/sandbox.ts", 'if (!options.network) add("--unshare-net");', ""]] },
  { test: "cannot be named by a build on the machine's network", file: "builds", edits: [["core/build/sandbox.ts", "unixSockets: !options.network", "unixSockets: true"]] },
  { test: "no build without a sandbox", file: "builds", edits: [["core/build/check-platform.ts", 'if (unsandboxed === "1" || unsandboxed === true) {', "if (unsandboxed === 7) {"]] },
  { test: "CVE-2024-45593", file: "archives", edits: [["core/nar/nar-reader.ts", "    this.#enter(name, this.#base + start);", "    this.#enterUnchecked(name);"], ["core/nar/nar-reader.ts", "  #enter(name: ByteString", "  #enterUnchecked(name: ByteString): void {\n    const directory = this.#directories.at(-1)!;\n    this.#path = directory.path === \"\" ? name : `${directory.path}/${name}`;\n  }\n\n  #enter(name: ByteString"]] },
  { test: "CVE-2026-44028, the NAR recursion advisory", file: "archives", edits: [["core/nar/nar-token.ts", "MAX_NAR_DEPTH = 64", "MAX_NAR_DEPTH = 1e9"]] },
  { test: "CVE-2026-44028: lengths", file: "archives", edits: [["core/nar/nar-reader.ts", "if (length > limit) throw", "if (length > 2 ** 60) throw"]] },
  { test: "CVE-2026-44028: lengths", file: "archives", edits: [["core/nar/nar-reader.ts", "if (high > 0xfffff) {", "if (high > 2 ** 40) {"]] },
  { test: "a file behind a link of its own", file: "archives", edits: [["core/fetch/archive/tree-writer.ts", "    if (kind !== undefined) throw conflict(path, `there is a ${kind} already`);\n    const slash", "    if (kind !== undefined) return;\n    const slash"]] },
  { test: "a path with \\.\\.", file: "archives", edits: [["core/fetch/archive/tree-path.ts", 'kept.includes("..")', "kept.length < 0"]] },
  { test: "a hard link to what is outside", file: "archives", edits: [["core/fetch/archive/tree-path.ts", 'kept.includes("..")', "kept.length < 0"], ["core/fetch/archive/tree-writer.ts", 'if (this.kinds.get(target) !== "file") throw', 'if (target === "") throw']] },
  { test: "a zip archive with a file behind a link", file: "archives", edits: [["core/fetch/archive/tree-writer.ts", "    if (kind !== undefined) throw conflict(path, `there is a ${kind} already`);\n    const slash", "    if (kind !== undefined) return;\n    const slash"]] },
  { test: "one that becomes larger than it may", file: "archives", edits: [["core/fetch/source/unpack-guard.ts", "if (bytes > limits.bytes) throw", "if (bytes < 0) throw"]] },
  {
    test: "CVE-2025-46415",
    file: "trees",
    edits: [
      ["core/store/file-tree.ts", "constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW", "constants.O_RDONLY | constants.O_DIRECTORY"],
      ["core/store/file-tree.ts", "if (found.ino !== stats.ino || found.dev !== stats.dev) {", "if (found.ino < 0) {"],
    ],
  },
  { test: "on the way becomes a link while a deeper one", file: "trees", edits: [["core/store/file-tree.ts", "place: (name) => `/proc/self/fd/${descriptor}/${name}`", "place: (name) => `${shown}/${name}`"]] },
  { test: "nested deeper than any path can be", file: "trees", edits: [["core/store/file-tree.ts", "const MOST_OPEN = 100;", "const MOST_OPEN = 1e9;"], ["core/store/file-tree.ts", "place: (name) => `/proc/self/fd/${descriptor}/${name}`", "place: (name) => `${shown}/${name}`"]] },
  { test: "a file becomes a link after it was looked at", file: "trees", edits: [["core/store/file-tree.ts", "  const descriptor = openSync(toFsPath(place), O_PATH | constants.O_NOFOLLOW);\n  try {", "  return chmodSync(toFsPath(place), mode);\n  const descriptor = 0;\n  try {"]] },
  { test: "CVE-2025-52993.*|a folder becomes a link after it was listed", file: "trees", edits: [["core/store/file-tree.ts", "place: (name) => `/proc/self/fd/${descriptor}/${name}`", "place: (name) => `${shown}/${name}`"]] },
  { test: "no folder of the machine, by its path", file: "builtins", edits: [["core/build/builtin-inputs.ts", "if (!clean.startsWith(`${store.storeDir}/`)) throw", "if (!clean.startsWith(`${store.storeDir}/`)) return logical;\n  if (clean === \"\") throw"]] },
  { test: "no store path that is not among the inputs", file: "builtins", edits: [["core/build/builtin-inputs.ts", "if (!inputs.has(path)) throw", "if (path === undefined) throw"]] },
  { test: "no names of a folder of the machine by a link", file: "builtins", edits: [["core/build/builtin-inputs.ts", "if (!clean.startsWith(`${store.storeDir}/`)) throw", "if (!clean.startsWith(`${store.storeDir}/`)) return logical;\n  if (clean === \"\") throw"]] },
  { test: "no program of the derivation's choice", file: "builtins", edits: [["core/build/run-tool-sandboxed.ts", "execFileSync(bubblewrap.command, words,", "execFileSync(command, args,"]] },
  { test: "no file by its URL for another user", file: "builtins", edits: [["core/build/builtin/fetchurl.ts", "if (context.localFiles === false)", "if (context.localFiles === null)"]] },
  { test: "nothing from the network that no hash proves", file: "builtins", edits: [["core/build/run-builtin.ts", 'if (name === "fetchurl" && !isFixedOutput(derivation)) {', 'if (name === "") {']] },
  { test: "CVE-2024-47174", file: "builtins", edits: [["core/fetch/dispatcher.ts", "connect: { timeout: settings.connectTimeout }", "connect: { timeout: settings.connectTimeout, rejectUnauthorized: false }"]] },
  { test: "CVE-2024-36050", file: "builtins", edits: [["core/build/realise.ts", "  await reportOtherSources(store, graph, options);", ""]] },
  { test: "narinfo for another path", file: "caches", edits: [["core/cache/parse-cached-narinfo.ts", "if (info.path !== path) throw", "if (info.path === undefined) throw"]] },
  { test: "an archive that is a file elsewhere is not read", file: "caches", edits: [["core/cache/parse-cached-narinfo.ts", `info.url.split("/").some((part) => part === ".." || part === "." || part === "")`, "info.url.length < 0"]] },
  { test: "a store that is served gives no file", file: "caches", edits: [["core/cache/serve-cache.ts", "const found = derivation === undefined || derivation !== log ? undefined : await options.findLog(derivation);", "const found = await options.findLog(log as StorePath);"]] },
  { test: "an archive that is longer than was signed", file: "caches", edits: [["core/cache/cache-archives.ts", "if (size > info.narSize) throw", "if (size < 0) throw"]] },
  { test: "are open to nobody else in a new store", file: "daemon", edits: [["core/store/create-store.ts", "mkdirSync(folder, { recursive: true, mode: 0o755 });", "mkdirSync(folder, { recursive: true });"]] },
  { test: "are closed by a daemon on a store of an old Nix", file: "daemon", edits: [["core/daemon/server/daemon-server.ts", "if (options.stateDir !== undefined) closeUserFolders(options.stateDir);", ""]] },
  { test: "are not used where another made them first", file: "daemon", edits: [["core/daemon/server/daemon-server.ts", "if (!existing.isDirectory() || (existing.uid !== uid && existing.uid !== 0)) {", "if (!existing.isDirectory()) {"]] },
  { test: "unsigned paths are refused", file: "daemon", edits: [[realisations, "if (!isTrusted(info, session.host.trust, session.store.storeDir)) throw", "if (info.path === undefined) throw"]] },
  { test: "unsigned realisations are refused", file: "daemon", edits: [[realisations, "const isTaken = session.trusted ||", "const isTaken = true ||"]] },
  { test: "derivations whose output paths are not their own", file: "daemon", edits: [["core/store/open-store.ts", "      checkDerivation(derivation, this.#hashes.get, this.layout.storeDir);\n", ""]] },
  { test: "that sends nonsense", file: "daemon", edits: [["core/daemon/wire/wire-reader.ts", "    this.#spend(length + ELEMENT);\n    const result = await this.#take(length);", "    const result = await this.#take(length);"]] },
];
