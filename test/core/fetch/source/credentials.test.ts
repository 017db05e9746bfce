import assert from "node:assert/strict";
import { test } from "node:test";
import { findAccessToken, findNetrcHeader, parseAccessTokens, parseNetrc } from "../../../../core/fetch/source/credentials.ts";

test("a netrc file names passwords by host, the default last", () => {
  const entries = parseNetrc('machine a.example login me password "p w"\n# machine c.example login x password y\nmachine b.example\n  login you\n  account z\n  password q\nmacdef init\necho machine d.example login e password f\n\ndefault login anyone password none\n');
  assert.deepEqual(entries.map(({ host, login, password }) => [host, login, password]), [["a.example", "me", "p w"], ["b.example", "you", "q"], [undefined, "anyone", "none"]]);
  assert.equal(findNetrcHeader(entries, "b.example"), `Basic ${Buffer.from("you:q").toString("base64")}`);
  assert.equal(findNetrcHeader(entries, "c.example"), `Basic ${Buffer.from("anyone:none").toString("base64")}`);
  assert.equal(findNetrcHeader(entries.slice(0, 2), "c.example"), undefined);
});

test("of access tokens the one with the longest path counts, and only for whole names", () => {
  const tokens = parseAccessTokens("github.com=a github.com/team=b  github.com/team/repo=c broken");
  assert.equal(findAccessToken(tokens, "github.com", "x/y"), "a");
  assert.equal(findAccessToken(tokens, "github.com", "team/y"), "b");
  assert.equal(findAccessToken(tokens, "github.com", "team/repo"), "c");
  assert.equal(findAccessToken(tokens, "github.com", "teams/y"), "a");
  assert.equal(findAccessToken(tokens, "gitlab.com", "x/y"), undefined);
});
