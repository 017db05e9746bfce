/** What a builder sees, and what it cannot do. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hashBytes } from "../../../core/hash/hash.ts";
import { encodeUtf8 } from "../../../core/util/bytes.ts";
import { findBuildLog } from "../../../core/build/build-log.ts";
import type { BuildOptions } from "../../../core/build/build-options.ts";
import type { BuiltinBuilder } from "../../../core/build/builtin-builder.ts";
import type { FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { createBuildFixture, findProcesses, outputOf, outputText, type BuildFixture, type DerivationSketch } from "./build-fixture.ts";

let fixture: BuildFixture;
before(async () => {
  fixture = await createBuildFixture();
});
after(() => fixture[Symbol.asyncDispose]());

let number = 0;
/** The text that `script` writes to its standard output. */
async function inSandbox(script: string, sketch: Partial<DerivationSketch> = {}, options: Partial<BuildOptions> = {}): Promise<string> {
  const derivation = await fixture.derive({ name: `probe-${number++}`, script: `set +e; { ${script}\n} > $out 2>&1`, ...sketch });
  await fixture.build([derivation], options);
  return readFileSync(fixture.path(outputOf(derivation)), "utf8");
}

describe("the environment", () => {
  test("is the one that Nix gives", async () => {
    const text = await inSandbox("env", { env: { shown: "1", name: "x" } }, { cores: 3 });
    const variables = new Map(text.trimEnd().split("\n").map((line) => line.split(/=(.*)/s) as [string, string]));
    // Bash's own.
    for (const name of ["_", "SHLVL", "OLDPWD"]) variables.delete(name);
    const out = variables.get("out")!;
    assert.match(out, /^\/nix\/store\/[^/]+-probe-\d+$/);
    assert.deepEqual(Object.fromEntries([...variables].sort()), {
      HOME: "/homeless-shelter",
      NIX_BUILD_CORES: "3",
      NIX_BUILD_TOP: "/build",
      NIX_LOG_FD: "2",
      NIX_STORE: "/nix/store",
      PATH: "/usr/bin",
      PWD: "/build",
      TEMP: "/build",
      TEMPDIR: "/build",
      TERM: "xterm-256color",
      TMP: "/build",
      TMPDIR: "/build",
      __buildRoot: `/nix/store/${fixture.tools}`,
      name: "x",
      out,
      shown: "1",
    });
  });

  test("has a path and a home that are not there, unless the derivation sets them", async () => {
    assert.equal(await inSandbox("echo $PATH $HOME", { env: { PATH: "/a", HOME: "/b" } }), "/a /b\n");
    const bare = await fixture.derive({ name: "bare", builder: "/usr/bin/bash", args: ["-c", "echo $PATH $HOME > $out"], sources: [fixture.tools], env: { __buildRoot: `/nix/store/${fixture.tools}` } });
    await fixture.build([bare]);
    assert.equal(readFileSync(fixture.path(outputOf(bare)), "utf8"), "/path-not-set /homeless-shelter\n");
  });

  test("passes as a file what is asked for as one", async () => {
    const big = "ä".repeat(200_000);
    assert.equal(await inSandbox("cat $bigPath; echo ${big-unset}", { env: { passAsFile: "big other", big } }), `${big}unset\n`);
  });

  test("holds structured attributes in two files", async () => {
    const json = JSON.stringify({ __buildRoot: `/nix/store/${fixture.tools}`, list: ["a", "b"], text: "it's", outputHash: null });
    const structured = await fixture.derive({
      name: "structured",
      builder: "/usr/bin/bash",
      args: ["-ec", '. $NIX_ATTRS_SH_FILE; { /usr/bin/cat $NIX_ATTRS_JSON_FILE; echo; echo "${list[1]} $text ${out-unset} ${outputs[out]}"; } > ${outputs[out]}'],
      sources: [fixture.tools],
      env: { __json: json },
    });
    await fixture.build([structured]);
    const text = readFileSync(fixture.path(outputOf(structured)), "utf8");
    const [first, second] = text.split("\n");
    const own = (JSON.parse(first!) as { readonly outputs: { readonly out: string } }).outputs.out;
    assert.match(own, /^\/nix\/store\//);
    assert.equal(second, `b it's unset ${own}`);
  });

  test("has the variables of the machine only where a fixed output asks for them", async () => {
    const options = { environment: { http_proxy: "http://proxy", secret: "no" } };
    const contents = "http://proxy,1,\n";
    const output = { kind: "fixed", contentAddress: { method: "flat", hash: hashBytes("sha256", encodeUtf8(contents)) } } as const;
    assert.equal(await inSandbox("echo $http_proxy,$NIX_OUTPUT_CHECKED,$secret", { output, env: { impureEnvVars: "http_proxy" } }, options), contents);
    assert.equal(await inSandbox("echo $http_proxy,$secret", { env: { impureEnvVars: "http_proxy" } }, options), ",\n");
  });

  test("has a graph of references where one is asked for", async () => {
    const input = await fixture.derive({ name: "input", script: "echo > $out" });
    const user = await fixture.derive({ name: "user", inputs: [input], env: { input: outputText(input) }, script: "echo $input $out > $out" });
    const text = await inSandbox("cat graph", { inputs: [user], env: { exportReferencesGraph: `graph ${outputText(user)}` } });
    const own = [`${outputText(input)}\n\n0\n`, `${outputText(user)}\n\n2\n${[outputText(input), outputText(user)].sort().join("\n")}\n`].sort();
    assert.equal(text, own.join(""));
  });
});

describe("the builder", () => {
  test("is one user in one group on a host of one name, and process 1", async () => {
    assert.equal(await inSandbox("id -u; id -g; id -un; hostname; echo $$; pwd; cat /etc/hosts"), "1000\n100\nnixbld\nlocalhost\n1\n/build\n127.0.0.1 localhost\n::1 localhost\n");
  });

  test("sees of the store only the closure of its inputs and what it makes", async () => {
    const hidden = await fixture.derive({ name: "hidden", script: "echo > $out" });
    const deep = await fixture.derive({ name: "deep", script: "echo deep > $out" });
    const input = await fixture.derive({ name: "direct", inputs: [deep], env: { deep: outputText(deep) }, script: "mkdir $out; ln -s $deep $out/deep" });
    const link = await fixture.derive({ name: "link", inputs: [input], env: { input: outputText(input) }, script: "ln -s $input/deep $out" });
    await fixture.build([hidden]);
    const text = await inSandbox("ls /nix/store; cat $link", { inputs: [link], env: { link: outputText(link) } });
    const paths = [outputOf(deep), outputOf(input), outputOf(link), fixture.tools, `${text.match(/\S+-probe-\d+/)![0]}`].sort();
    assert.equal(text, `${paths.join("\n")}\ndeep\n`);
  });

  test("sees nothing of the machine but a minimal /dev, /proc and its own folders", async () => {
    const text = await inSandbox("ls /; ls /dev; ls -A /tmp /build; ls /etc");
    const [root, rest] = text.split("core\n");
    assert.equal(root, ["bin", "build", "dev", "etc", ...(text.includes("lib64") ? ["lib", "lib64"] : ["lib"]), "nix", "proc", "tmp", "usr", ""].join("\n"));
    assert.match(rest!, /^(console\n)?fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n\/build:\n\n\/tmp:\nfrom-the-build-root\ngroup\nhosts\npasswd\n$/);
  });

  test("cannot change its inputs, the root, or the kernel's settings", async () => {
    const text = await inSandbox("touch /usr/bin/new /new /etc/new /nix/store/*-host-tools/x; echo 1 > /proc/sys/vm/swappiness; true");
    assert.equal(text.match(/Read-only file system|Permission denied|No such file/g)?.length, 5, text);
  });

  test("cannot set setuid or setgid bits", async () => {
    const text = await inSandbox("touch f; chmod 4755 f; chmod 2755 f; chmod u+s f; stat -c %a f; chmod 755 f; stat -c %a f");
    assert.equal(text.match(/Operation not permitted/g)?.length, 3, text);
    assert.match(text, /644\n755\n$/);
  });

  test("reaches nothing by network, and itself", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const text = await inSandbox(`(echo > /dev/tcp/192.0.2.1/80) || true; (echo > /dev/tcp/127.0.0.1/${port}) || true; cat /etc/resolv.conf || true`);
      assert.match(text, /192\.0\.2\.1.*Network is unreachable/);
      // Loopback is up, but it is the sandbox's own, where nobody listens.
      assert.match(text, /127\.0\.0\.1.*Connection refused/);
      assert.match(text, /resolv\.conf: No such file/);
    } finally {
      server.close();
    }
  });

  test("has the machine's network where its output is fixed", async () => {
    const server = createServer((socket) => socket.end("hello\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const output = { kind: "fixed", contentAddress: { method: "flat", hash: hashBytes("sha256", encodeUtf8("hello\n")) } } as const;
      assert.equal(await inSandbox(`exec 3<> /dev/tcp/127.0.0.1/${port}; cat <&3`, { output }), "hello\n");
    } finally {
      server.close();
    }
  });

  test("leaves no process behind that could still write to its output", async () => {
    await inSandbox("(trap '' TERM HUP; sleep 98765) & echo done");
    assert.deepEqual(findProcesses("sleep 98765"), []);
  });

  test("can write to its standard error by its name", async () => {
    const derivation = await fixture.derive({ name: "writer", script: "echo direct > /dev/stderr; echo plain; echo > $out" });
    await fixture.build([derivation]);
    const log = await findBuildLog(fixture.store, derivation.path);
    assert.equal(readFileSync(log!.file, "utf8"), "direct\nplain\n");
  });

  test("has no descriptors but the standard ones", async () => {
    // The fourth is that of the listing.
    assert.equal(await inSandbox("ls /proc/self/fd"), "0\n1\n2\n3\n");
  });

  test("that is not there is named", async () => {
    const derivation = await fixture.derive({ name: "no-builder", builder: "/bin/sh", args: [] });
    await assert.rejects(fixture.build([derivation]), { message: /the builder "\/bin\/sh" cannot be run: No such file or directory/, hint: /only the closure of the inputs/ });
  });

  test("that asks for no sandbox is refused", async () => {
    const derivation = await fixture.derive({ name: "outside", script: "echo > $out", env: { __noChroot: "1" } });
    await assert.rejects(fixture.build([derivation]), { message: /"__noChroot"/ });
  });
});

describe("a closure of many paths", () => {
  const makeInput: BuiltinBuilder = async (context) => {
    const number = Number(context.env.get("name")!.split("-")[1]);
    const place = context.outputs.get("out")!;
    if (number % 3 === 0) symlinkSync(context.env.get("target")!, place);
    else if (number % 3 === 1) writeFileSync(place, "file\n");
    else {
      mkdirSync(place);
      writeFileSync(`${place}/inner`, "inner\n");
    }
    return Promise.resolve();
  };
  let inputs: readonly FinishedDerivation[];
  let target: FinishedDerivation;
  before(async () => {
    target = await fixture.derive({ name: "target-1", builder: "builtin:make" });
    inputs = await Promise.all(
      Array.from({ length: 200 }, (_, i) => fixture.derive({ name: `input-${i}`, builder: "builtin:make", inputs: [target], env: { target: outputText(target) } })),
    );
    await fixture.build(inputs, { builtins: new Map([["make", makeInput]]) });
  });

  test("is visible and read-only like one of few", async () => {
    const env = { link: outputText(inputs[3]!), file: outputText(inputs[4]!), folder: outputText(inputs[5]!) };
    const text = await inSandbox('set -- /nix/store/*; echo $#; cat $link $file $folder/inner; readlink $link; touch $folder/new; echo > $file; id -u; echo $$; ls /proc/self/fd', { inputs, env });
    const [count, ...rest] = text.trimEnd().split("\n");
    // Inputs, what the links name, the tools, the output.
    assert.equal(Number(count), 203);
    assert.deepEqual(rest.slice(0, 4), ["file", "file", "inner", outputText(target)]);
    assert.equal(text.match(/Read-only file system/g)?.length, 2, text);
    assert.deepEqual(rest.slice(-6), ["1000", "1", "0", "1", "2", "3"]);
  });

  test("has a builder that fails with its own exit code, and dies when aborted", async () => {
    const failing = await fixture.derive({ name: "failing-many", inputs, script: "exit 9" });
    await assert.rejects(fixture.build([failing]), { message: /failed with exit code 9/ });
    const controller = new AbortController();
    const endless = await fixture.derive({ name: "endless-many", inputs, script: "echo begun; sleep 87654" });
    const report: BuildOptions["report"] = (event) => {
      if (event.kind === "log") controller.abort(new Error("enough"));
    };
    await assert.rejects(fixture.build([endless], { signal: controller.signal, report }), { message: "enough" });
    for (let i = 0; i < 100 && findProcesses("sleep 87654").length > 0; i++) await sleep(10);
    assert.deepEqual(findProcesses("sleep 87654"), []);
  });
});

test("whatever moment a build is aborted at, nothing of it runs on", async () => {
  for (let delay = 0; delay < 120; delay += 8) {
    const controller = new AbortController();
    const endless = await fixture.derive({ name: `endless-${delay}`, script: "sleep 76543" });
    setTimeout(() => controller.abort(new Error("enough")), delay);
    await assert.rejects(fixture.build([endless], { signal: controller.signal }), { message: "enough" });
  }
  for (let i = 0; i < 100 && findProcesses("sleep 76543").length > 0; i++) await sleep(10);
  assert.deepEqual(findProcesses("sleep 76543"), []);
});

describe("the build root", () => {
  test("is the machine's /usr and /etc, with links to it", async () => {
    const text = await inSandbox("readlink /bin /lib; cat /etc/from-the-build-root > /dev/null && echo etc; sh -c 'echo sh'");
    assert.equal(text, "usr/bin\nusr/lib\netc\nsh\n");
  });

  test("must be an input", async () => {
    const derivation = await fixture.derive({ name: "rootless", builder: "/bin/bash", env: { __buildRoot: `/nix/store/${fixture.tools}` } });
    await assert.rejects(fixture.build([derivation]), { message: /"__buildRoot" is ".*", which is not among the inputs/ });
  });
});
