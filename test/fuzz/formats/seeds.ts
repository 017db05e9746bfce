import { gzipSync } from "node:zlib";
import { encodeNarTokens } from "../../../core/nar/nar-token.ts";
import { encodeUtf8 } from "../../../core/util/bytes.ts";
import { OPERATION } from "../../../core/daemon/wire/protocol.ts";
import { makeTar } from "../../core/build/builtin/archives.ts";
import { makeZip } from "../../core/fetch/source/make-zip.ts";

const A = "/nix/store/00000000000000000000000000000000-a";
const HASH = `sha256:${"0".repeat(52)}`;

/** Eight bytes for a number, strings with their length and padding: as the daemon's protocol has them. */
function words(...parts: readonly (number | string)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "number") {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(BigInt(part));
        return bytes;
      }
      const text = Buffer.from(part);
      return Buffer.concat([words(text.length), text, Buffer.alloc((8 - (text.length % 8)) % 8)]);
    }),
  );
}

const hello = words(0x6e697863, 0x126, 0, 0, 0);
const session = (...parts: readonly (number | string)[]): Uint8Array => Buffer.concat([hello, words(...parts)]);

const tar = makeTar([{ path: "a/", type: "5" }, { path: "a/b", contents: "hello", mode: 0o755 }, { path: "a/l", type: "2", target: "b" }, { path: "a/h", type: "1", target: "a/b" }]);
const pax = makeTar([{ path: "x", type: "x", contents: "30 mtime=1700000000.123456789\n12 path=yy\n" }, { path: "z", contents: "z" }, { path: "@LongLink", type: "L", contents: "long/".repeat(30) }, { path: "short", contents: "s" }]);

/** Good inputs of each target, from which the fuzzer makes bad ones. */
export const FUZZ_SEEDS: Readonly<Record<string, readonly Uint8Array[]>> = {
  nar: [
    encodeNarTokens("nix-archive-1", "(", "type", "regular", "contents", "hello", ")"),
    encodeNarTokens("nix-archive-1", "(", "type", "regular", "executable", "", "contents", "x".repeat(100), ")"),
    encodeNarTokens("nix-archive-1", "(", "type", "directory", "entry", "(", "name", "a", "node", "(", "type", "symlink", "target", "b", ")", ")", "entry", "(", "name", "b", "node", "(", "type", "directory", ")", ")", ")"),
  ],
  aterm: [
    encodeUtf8(`Derive([("out","${A}","","")],[],[],"x86_64-linux","/bin/sh",["-c","echo \\"a\\n\\" > $out"],[("name","x"),("out","${A}")])`),
    encodeUtf8(`Derive([("out","${A}","r:sha256","${"0".repeat(64)}")],[("/nix/store/11111111111111111111111111111111-b.drv",["dev","out"])],["${A}"],"builtin","builtin:fetchurl",[],[("out","${A}"),("url","http://x")])`),
    encodeUtf8('DrvWithVersion("xp-dyn-drv",[("out","","r:sha256","")],[("/nix/store/11111111111111111111111111111111-b.drv",(["out"],[("out",(["out"],[]))]))],[],"a","b",[],[])'),
  ],
  narinfo: [
    encodeUtf8(`StorePath: ${A}\nURL: nar/x.nar.xz\nCompression: xz\nFileHash: ${HASH}\nFileSize: 10\nNarHash: ${HASH}\nNarSize: 20\nReferences: 00000000000000000000000000000000-a\nDeriver: 11111111111111111111111111111111-a.drv\nSig: k-1:${Buffer.alloc(64).toString("base64")}\nCA: fixed:r:${HASH}\n`),
  ],
  lock: [
    encodeUtf8(JSON.stringify({ version: 1, inputs: { "system.config.ts": { nixpkgs: { original: { type: "indirect", id: "nixpkgs" }, locked: { type: "github", owner: "o", repo: "r", rev: "0".repeat(40), narHash: `sha256-${"A".repeat(43)}=`, lastModified: 1 }, url: "github:o/r" } } } }, undefined, 2)),
    encodeUtf8('{ "version": 1, "inputs": {} }'),
  ],
  tar: [tar, pax, gzipSync(tar)],
  zip: [
    makeZip([{ path: "a/b.txt", contents: "hello ".repeat(50), mode: 0o100644 }], { packed: true }),
    makeZip([{ path: "link", contents: "target", mode: 0o120777 }]),
    makeZip([{ path: "folder/", contents: "", mode: 0o040755 }]),
  ],
  "wire-derivation": [words(1, "out", A, "", "", 1, A, "x86_64-linux", "/bin/sh", 2, "-c", "true", 1, "name", "x")],
  "wire-result": [words(0, "", 1, 0, 1, 2, 0, 0, 1, `sha256:${"0".repeat(64)}!out`, JSON.stringify({ id: `sha256:${"0".repeat(64)}!out`, outPath: A.slice(11), signatures: [], dependentRealisations: {} })), words(3, "failed", 0, 0, 0, 0, 1, 5, 1, 6, 0)],
  "wire-path-info": [words(A, "", "0".repeat(64), 1, A, 7, 100, 1, 1, "k-1:AAAA", `text:${HASH}`)],
  "wire-error": [words("Error", 0, "Error", "message", 0, 1, 0, "trace")],
  session: [
    session(OPERATION.isValidPath, A),
    session(OPERATION.setOptions, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, "cores", "2", OPERATION.queryValidPaths, 1, A, 0),
    session(OPERATION.addTextToStore, "name", "contents", 0, OPERATION.queryPathInfo, A),
    session(OPERATION.addToStore, "name", "fixed:r:sha256", 0, 0, 8, "x", 0),
    session(OPERATION.buildPaths, 1, `${A}.drv!out`, 0, OPERATION.queryMissing, 1, `${A}.drv!*`),
    session(OPERATION.collectGarbage, 1, 0, 0, 1000, 0, 0, 0, OPERATION.findRoots, OPERATION.queryAllValidPaths),
    session(OPERATION.addToStoreNar, A, "", "0".repeat(64), 0, 0, 8, 0, 0, "", 0, 0, 8, "x", 0),
    session(OPERATION.narFromPath, A, OPERATION.verifyStore, 0, 0),
  ],
};

/** What means something to the parsers, to be put anywhere. */
export const FUZZ_WORDS: readonly Uint8Array[] = [
  ...["(", ")", "type", "entry", "name", "node", "..", "/", "../../outside/file", "Derive(", "[]", "\\", '"', "sha256", "r:", "text:", "\n", ": ", "PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "ustar", "__proto__", "constructor", A].map(encodeUtf8),
  ...[0n, 1n, 0xffn, 0x7fffffffn, 0xffffffffn, 1n << 40n, (1n << 53n) - 1n, 1n << 53n, (1n << 63n) - 1n, (1n << 64n) - 1n].map((value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  }),
];
