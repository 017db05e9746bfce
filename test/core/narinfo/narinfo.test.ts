import assert from "node:assert/strict";
import { test } from "node:test";
import { formatNarInfo, narInfoFingerprint, parseNarInfo } from "../../../core/narinfo/narinfo.ts";
import { parsePublicKey, parseSecretKey, parseSignature, signFingerprint, verifySignature } from "../../../core/narinfo/signature.ts";

const ZEROS = Buffer.alloc(64).toString("base64");
const TEXT = `StorePath: /nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo
URL: nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar.xz
Compression: xz
FileHash: sha256:1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3
FileSize: 4029176
NarHash: sha256:1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3
NarSize: 34878
References: g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar n5wkd9frr45pa74if5gpz9j7mifg27fh-foo
Deriver: g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar.drv
Sig: asdf:${ZEROS}
Sig: qwer:${ZEROS}
CA: fixed:r:sha256:1lr187v6dck1rjh2j6svpikcfz53wyl3qrlcbb405zlh13x0khhh
`;

// A key pair made with the reference implementation.
const SECRET = "test-1:fhAfOIclnyAnqlCcqXqyPGCq6oP7UW9bMl+tvjh/u04l0U8PB2kFxp02TffU66OvCFU+pje6+ZhD/EqhjS67kA==";
const PUBLIC = "test-1:JdFPDwdpBcadNk331OujrwhVPqY3uvmYQ/xKoY0uu5A=";

test("reads and writes a narinfo", () => {
  const info = parseNarInfo(TEXT);
  assert.equal(info.narSize, 34878);
  assert.equal(info.references.length, 2);
  assert.equal(info.signatures[1]?.keyName, "qwer");
  assert.equal(formatNarInfo(info), TEXT);
  const bare = parseNarInfo(TEXT.replace(/^(FileHash|FileSize|Deriver|Sig|CA|Compression): .*\n/gm, "").replace(/References: .*/, "References: "));
  assert.deepEqual(bare.references, []);
  assert.equal(bare.compression, "bzip2");
  assert.equal(parseNarInfo(TEXT.replace(/Deriver: .*/, "Deriver: unknown-deriver")).deriver, undefined);
});

test("says what is wrong with a narinfo", () => {
  for (const name of ["StorePath", "URL", "NarHash", "NarSize"]) {
    assert.throws(() => parseNarInfo(TEXT.replace(new RegExp(`^${name}: .*\n`, "m"), "")), { code: "narinfo.malformed", message: new RegExp(`no "${name}"`) });
  }
  assert.throws(() => parseNarInfo(TEXT.slice(0, -1)), { code: "narinfo.malformed" });
  assert.throws(() => parseNarInfo(`${TEXT}NarSize: 1\n`), { code: "narinfo.malformed", message: /line 13: "NarSize" stands twice/ });
  assert.throws(() => parseNarInfo(TEXT.replace("34878", "-1")), { code: "narinfo.malformed" });
  assert.throws(() => parseNarInfo(TEXT.replace("34878", "99999999999999999999")), { code: "narinfo.malformed" });
  assert.throws(() => parseNarInfo("junk\n"), { code: "narinfo.malformed", message: /line 1/ });
});

test("makes the fingerprint, signs and verifies it", () => {
  const info = parseNarInfo(TEXT);
  const fingerprint = narInfoFingerprint({ ...info, references: [...info.references].reverse() });
  assert.equal(
    fingerprint,
    "1;/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo;sha256:1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3;34878;" +
      "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar,/nix/store/n5wkd9frr45pa74if5gpz9j7mifg27fh-foo",
  );
  const signature = signFingerprint(fingerprint, parseSecretKey(SECRET));
  const key = parsePublicKey(PUBLIC);
  assert.equal(verifySignature(fingerprint, signature, [key]), true);
  assert.equal(verifySignature(`${fingerprint} `, signature, [key]), false);
  assert.equal(verifySignature(fingerprint, signature, [{ ...key, name: "another" }]), false);
  assert.equal(verifySignature(fingerprint, parseSignature(`${key.name}:${ZEROS}`), [key]), false);
});

test("rejects keys and signatures that are none, and keeps a secret", () => {
  assert.throws(() => parseSignature("asdf"), { code: "signature.malformed" });
  assert.throws(() => parseSignature("asdf:AAAA"), { code: "signature.malformed" });
  assert.throws(() => parsePublicKey(`:${ZEROS}`), { code: "signature.malformed" });
  assert.throws(() => parseSecretKey("name:c2VjcmV0"), (error: unknown) => error instanceof Error && !error.message.includes("c2VjcmV0"));
});
