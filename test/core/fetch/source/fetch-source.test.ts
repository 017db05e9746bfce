import assert from "node:assert/strict";
import { appendFileSync, chmodSync, existsSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import { fetchSource, sourceStorePath } from "../../../../core/fetch/source/fetch-source.ts";
import { parseSource } from "../../../../core/fetch/source/source.ts";
import { makeTar, openTrial, serve, writeFiles } from "./trial.ts";

const REV = "be269335718058bb1617ee9483cd14369127d4dc";

function code(expected: string, message?: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof TsosError, String(error));
    assert.equal(error.code, expected, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

// The hashes and store paths of these are those that Nix 2.34 gives for the same trees.

test("a commit of a local repository is the tree of its blobs", async () => {
  using trial = openTrial();
  const repository = trial.repository("r", { a: "hi\n", "sub/b": "x\n", ".gitattributes": "sub/b export-ignore\n" });
  chmodSync(join(repository, "sub/b"), 0o755);
  symlinkSync("../a", join(repository, "sub/l"));
  trial.git(repository, "add", "--all");
  trial.git(repository, "commit", "--quiet", "--amend", "--message=one");
  const rev = trial.git(repository, "rev-parse", "HEAD");
  const found = await fetchSource(parseSource(`git+file://${repository}?ref=main`), trial.context());
  const narHash = "sha256-vGheraaxxhDmOaa1koi/P1uNlCRcSFCuh3Gd6yAkn/g=";
  assert.deepEqual({ ...found.attributes }, { lastModified: 1700000000, narHash, ref: "main", rev, revCount: 1, type: "git", url: `file://${repository}` });
  assert.equal(sourceStorePath(found), "7h0b6kvl2jxqlnbh5z71cqs4v9803jcz-source");
  assert.equal(readlinkSync(join(found.root, "sub/l")), "../a");

  const clean = await fetchSource(parseSource(`git+file://${repository}`), trial.context());
  assert.deepEqual({ ...clean.attributes }, { ...found.attributes, ref: "refs/heads/main" }, "a working tree without changes is its commit");

  const ignored = await fetchSource({ ...parseSource(`git+file://${repository}?rev=${rev}`), exportIgnore: true }, trial.context());
  assert.equal(existsSync(join(ignored.root, "sub/b")), false);
  assert.equal(readFileSync(join(ignored.root, "a"), "utf8"), "hi\n");
});

test("a changed working tree has what git tracks as it is now, and no revision", async () => {
  using trial = openTrial();
  const repository = trial.repository("r", { a: "1", b: "2", c: "3" });
  const head = trial.git(repository, "rev-parse", "HEAD");
  appendFileSync(join(repository, "a"), "!");
  rmSync(join(repository, "b"));
  writeFiles(repository, { untracked: "", added: "new" });
  trial.git(repository, "add", "--intent-to-add", "added");
  const { root, attributes } = await fetchSource(parseSource(`git+file://${repository}`), trial.context());
  assert.deepEqual([readFileSync(join(root, "a"), "utf8"), existsSync(join(root, "b")), existsSync(join(root, "untracked")), readFileSync(join(root, "added"), "utf8")], ["1!", false, false, "new"]);
  assert.deepEqual([attributes["rev"], attributes["dirtyRev"], attributes["dirtyShortRev"]], [undefined, `${head}-dirty`, `${head.slice(0, 7)}-dirty`]);
  assert.deepEqual(trial.warnings, [`Git tree '${repository}' is dirty`]);
});

test("a link in the place of a tracked folder does not lead out of the repository", async () => {
  using trial = openTrial();
  const repository = trial.repository("r", { "d/secret": "mine" });
  writeFiles(join(trial.folder, "other"), { secret: "not to be seen" });
  rmSync(join(repository, "d"), { recursive: true });
  symlinkSync(join(trial.folder, "other"), join(repository, "d"));
  const { root } = await fetchSource(parseSource(`git+file://${repository}`), trial.context());
  assert.equal(existsSync(join(root, "d/secret")), false);
});

test("what a repository's settings name as a filter is not run", async () => {
  using trial = openTrial();
  const repository = trial.repository("r", { a: "1", ".gitattributes": "* filter=evil\n" });
  const mark = join(trial.folder, "ran");
  trial.git(repository, "config", "filter.evil.clean", `touch ${mark}; cat`);
  trial.git(repository, "config", "filter.evil.smudge", `touch ${mark}; cat`);
  trial.git(repository, "config", "core.fsmonitor", `touch ${mark}`);
  writeFileSync(join(repository, "a"), "2");
  await fetchSource(parseSource(`git+file://${repository}`), trial.context());
  assert.equal(existsSync(mark), false);
});

test("a remote repository is fetched once, then asked again when its answer is old", async () => {
  using trial = openTrial();
  const origin = trial.repository("r", { a: "1" });
  const bare = join(trial.folder, "bare.git");
  trial.git(trial.folder, "clone", "--quiet", "--bare", origin, bare);
  const url = `git+file://${bare}`;
  const first = await fetchSource(parseSource(url), trial.context());
  assert.equal(first.attributes["ref"], "refs/heads/main");
  writeFiles(origin, { a: "2" });
  trial.git(origin, "commit", "--quiet", "--all", "--message=two");
  trial.git(origin, "push", "--quiet", bare, "main");
  assert.equal((await fetchSource(parseSource(url), trial.context())).attributes["rev"], first.attributes["rev"]);
  const later = await fetchSource(parseSource(url), trial.context({ now: () => 1_700_003_601_000 }));
  assert.equal(later.attributes["revCount"], 2);
  assert.equal((await fetchSource(parseSource(`${url}?rev=${String(first.attributes["rev"])}`), trial.context())).narHash, first.narHash);
  await assert.rejects(fetchSource(parseSource(`${url}?ref=nowhere`), trial.context()), code("source.unknown-ref", /no branch or tag 'nowhere'/));
  await assert.rejects(fetchSource(parseSource(`${url}?rev=${REV}&ref=main`), trial.context()), code("source.unknown-rev", new RegExp(`Cannot find Git revision '${REV}' in ref 'main'`)));
});

test("submodules are empty folders, or their own commits", async () => {
  using trial = openTrial();
  const inner = trial.repository("inner", { x: "in" });
  const outer = trial.repository("outer", { a: "out" });
  trial.git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "mod");
  trial.git(outer, "commit", "--quiet", "--message=two");
  const url = `git+file://${outer}?ref=main`;
  const plain = await fetchSource(parseSource(url), trial.context());
  assert.deepEqual([existsSync(join(plain.root, "mod")), existsSync(join(plain.root, "mod/x"))], [true, false]);
  const whole = await fetchSource(parseSource(`${url}&submodules=1`), trial.context());
  assert.equal(readFileSync(join(whole.root, "mod/x"), "utf8"), "in");
});

test("what is checked out in a submodule is taken as it is, and makes the tree dirty", async () => {
  using trial = openTrial();
  const inner = trial.repository("inner", { file: "committed\n" });
  const outer = trial.repository("outer", { a: "1\n" });
  trial.git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub");
  trial.git(outer, "commit", "--quiet", "--message=with a submodule");
  const source = parseSource(`git+file://${outer}?submodules=1`);
  const clean = await fetchSource(source, trial.context());
  assert.ok(typeof clean.attributes["rev"] === "string");
  writeFileSync(join(outer, "sub/file"), "changed\n");
  const dirty = await fetchSource(source, trial.context());
  assert.equal(readFileSync(join(dirty.root, "sub/file"), "utf8"), "changed\n");
  assert.deepEqual([dirty.attributes["rev"], typeof dirty.attributes["dirtyRev"]], [undefined, "string"]);
});

test("a working tree is taken whole by a process that runs in a folder of it", async () => {
  using trial = openTrial();
  const repository = trial.repository("r", { top: "1\n", "below/inner": "2\n" });
  appendFileSync(join(repository, "top"), "more\n");
  const before = process.cwd();
  process.chdir(join(repository, "below"));
  try {
    const { root } = await fetchSource(parseSource(`git+file://${repository}`), trial.context());
    assert.equal(readFileSync(join(root, "top"), "utf8"), "1\nmore\n");
    assert.equal(readFileSync(join(root, "below/inner"), "utf8"), "2\n");
  } finally {
    process.chdir(before);
  }
});

test("an archive is unpacked without the folder around it, and asked for by its ETag", async () => {
  using trial = openTrial();
  let body = await makeTar([{ name: "top/", type: "directory" }, { name: "top/f", mode: 0o755, contents: "f\n" }, { name: "top/l", type: "symlink", linkname: "f" }, { name: "top/d/e/", type: "directory" }]);
  await using server = await serve((path) => (path === "/a.tar.gz" ? { body } : undefined));
  const source = parseSource(`${server.url}/a.tar.gz`);
  const first = await fetchSource(source, trial.context());
  assert.deepEqual([readFileSync(join(first.root, "f"), "utf8"), existsSync(join(first.root, "d/e")), first.attributes["lastModified"]], ["f\n", true, 1650000000]);
  await fetchSource(source, trial.context());
  assert.deepEqual(server.requests.map(({ status }) => status), [200], "what is fresh is not asked for");
  await fetchSource(source, trial.context({ refresh: true }));
  assert.deepEqual(server.requests.map(({ status }) => status), [200, 304]);
  body = await makeTar([{ name: "x", contents: "other" }, { name: "y", contents: "two" }]);
  const second = await fetchSource(source, trial.context({ refresh: true }));
  assert.equal(readFileSync(join(second.root, "x"), "utf8"), "other", "several at the top stay as they are");
  await assert.rejects(fetchSource({ ...source, narHash: first.narHash }, trial.context()), code("source.hash-mismatch", /expected 'sha256-[^']+' but got 'sha256-/));
  assert.equal((await fetchSource({ ...source, narHash: first.narHash }, trial.context(), { isFinal: true })).root, first.root, "what is locked and here is not asked for");
  await assert.rejects(fetchSource(parseSource(`${server.url}/b.tar.gz`), trial.context()), code("source.download-failed", /answered 404/));
  await assert.rejects(fetchSource(parseSource(`${server.url}/b.tar.gz`), trial.context({ settings: { offline: true } })), code("source.offline"));
});

test("a server may name the very version that it gave", async () => {
  using trial = openTrial();
  const body = await makeTar([{ name: "top/f", contents: "1" }]);
  await using server = await serve((path): { readonly body: Buffer; readonly headers?: Record<string, string> } => (path.startsWith("/latest") ? { body, headers: { link: `</v1.tar.gz?rev=${REV}&revCount=3>; rel="immutable"` } } : { body }));
  const { attributes } = await fetchSource(parseSource(`${server.url}/latest.tar.gz`), trial.context());
  assert.deepEqual([attributes["url"], attributes["rev"], attributes["revCount"]], [`${server.url}/v1.tar.gz`, REV, 3]);
});

test("credentials go to no host that a redirect leads to, and are kept nowhere", async () => {
  using trial = openTrial();
  const body = await makeTar([{ name: "top/f", contents: "1" }]);
  await using other = await serve(() => ({ body }));
  await using server = await serve((_, { headers }) => (headers.authorization === undefined ? { status: 401 } : { status: 302, headers: { location: `${other.url}/real.tar.gz` } }));
  const withUser = server.url.replace("//", "//me:topsecret@");
  const { attributes } = await fetchSource(parseSource(`${withUser}/a.tar.gz`), trial.context());
  assert.equal(server.requests[0]?.authorization, `Basic ${Buffer.from("me:topsecret").toString("base64")}`);
  assert.equal(other.requests[0]?.authorization, undefined);
  assert.equal(attributes["type"], "tarball");
  const { execFileSync } = await import("node:child_process");
  assert.throws(() => execFileSync("grep", ["-r", "topsecret", join(trial.folder, "cache")]), "grep finds nothing");
});

test("a repository of a forge is the archive of one commit", async () => {
  using trial = openTrial();
  const body = await makeTar([{ name: `r-${REV}/`, type: "directory" }, { name: `r-${REV}/f`, contents: "1" }]);
  await using server = await serve((path) => {
    if (path === "/api/repos/o/r/commits/main") return { body: JSON.stringify({ sha: REV, commit: { tree: { sha: REV } } }) };
    if (path === `/web/o/r/archive/${REV}.tar.gz` || path === `/api/repos/o/r/tarball/${REV}`) return { body };
    if (path === "/lab/api/v4/projects/o%2Fr/repository/commits?ref_name=HEAD") return { body: JSON.stringify([{ id: REV }]) };
    if (path === `/lab/api/v4/projects/o%2Fr/repository/archive.tar.gz?sha=${REV}`) return { body };
    if (path === "/hut/~o/r/HEAD") return { body: "ref: refs/heads/trunk\n" };
    if (path === "/hut/~o/r/info/refs") return { body: `${"1".repeat(40)}\trefs/heads/other\n${REV}\trefs/heads/trunk\n` };
    return path === `/hut/~o/r/archive/${REV}.tar.gz` ? { body } : undefined;
  });
  const mirrors = { github: [`${server.url}/web`], "github-api": [`${server.url}/api`], gitlab: [`${server.url}/lab`], sourcehut: [`${server.url}/hut`] };
  const found = await fetchSource(parseSource("github:o/r/main"), trial.context({ settings: { mirrors } }));
  assert.deepEqual({ ...found.attributes }, { lastModified: 1650000000, narHash: found.narHash, owner: "o", repo: "r", rev: REV, type: "github" });
  for (const url of ["gitlab:o/r", "sourcehut:~o/r"]) {
    const other = await fetchSource(parseSource(url), trial.context({ settings: { mirrors } }));
    assert.deepEqual([other.narHash, other.attributes["rev"]], [found.narHash, REV], url);
  }
  const asked = server.requests.length;
  await fetchSource(parseSource(`github:o/r/${REV}`), trial.context({ settings: { mirrors }, refresh: true }));
  assert.equal(server.requests.length, asked, "a commit never changes");

  using fresh = openTrial();
  await fetchSource(parseSource("github:o/r/main"), fresh.context({ settings: { mirrors, accessTokens: { "github.com": "wrong", "github.com/o": "token1" } } }));
  assert.deepEqual(server.requests.slice(asked).map(({ path, authorization }) => [path, authorization]), [["/api/repos/o/r/commits/main", "token token1"], [`/api/repos/o/r/tarball/${REV}`, "token token1"]]);
  await assert.rejects(fetchSource(parseSource("github:o/r/none"), fresh.context({ settings: { mirrors } })), code("source.unknown-ref", /404.*no such repository, branch or tag/));
});

test("a folder is taken as it is, and a file as one", async () => {
  using trial = openTrial();
  writeFiles(join(trial.folder, "d"), { a: "hi\n" });
  const folder = await fetchSource(parseSource(`path:${trial.folder}/d?lastModified=7`), trial.context());
  assert.deepEqual({ ...folder.attributes }, { lastModified: 7, narHash: folder.narHash, path: `${trial.folder}/d`, type: "path" });
  const file = await fetchSource(parseSource(`file+file://${trial.folder}/d/a`), trial.context());
  assert.equal(readFileSync(file.root, "utf8"), "hi\n");
  await assert.rejects(fetchSource(parseSource(`path:${trial.folder}/none`), trial.context()), code("source.missing-path"));
  await assert.rejects(fetchSource(parseSource("path:./d"), trial.context()), code("source.bad-input", /uses a relative path/));
});
