import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseRemoteUrl } from "../../../../core/daemon/client/remote-url.ts";
import { TsosError } from "../../../../core/error/tsos-error.ts";

const parse = (text: string) => parseRemoteUrl(text, "/run/daemon");

describe("the URL of another store", () => {
  it("names a socket or a machine", () => {
    assert.deepEqual([parse("daemon"), parse("unix://"), parse("unix:///a/b")], [{ kind: "unix", path: "/run/daemon" }, { kind: "unix", path: "/run/daemon" }, { kind: "unix", path: "/a/b" }]);
    const plain = { port: undefined, key: undefined, program: undefined, store: undefined, connections: undefined };
    assert.deepEqual(parse("ssh-ng://user@host"), { kind: "ssh-ng", host: "user@host", ...plain });
    assert.deepEqual(parse("ssh://[::1]:2222?ssh-key=/k&remote-program=env%20X=1%20nix-store&remote-store=local?root=/x&max-connections=3"), {
      kind: "ssh",
      host: "::1",
      port: "2222",
      key: "/k",
      program: ["env", "X=1", "nix-store"],
      store: "local?root=/x",
      connections: 3,
    });
  });

  it("is refused where ssh would take the host for an option", () => {
    for (const text of ["ssh-ng://-oProxyCommand=x", "ssh://user@-oProxyCommand=x", "ssh://", "ssh-ng://a b/c", "http://x"]) assert.throws(() => parse(text), (error) => error instanceof TsosError && error.code === "daemon.bad-url", text);
  });
});
