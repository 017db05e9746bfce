import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { killBuilds } from "./build-kills.ts";
import { startLoopbackMirror } from "./loopback-mirror.ts";
import { createPrivateStore } from "./private-store.ts";
import { createRandom } from "./seeded-random.ts";

const CONFIG = `import { defineShell } from "tsos";

export default defineShell(({ pkgs }) => {
  const text = pkgs.writeTree("texts", [
    { kind: "file", path: "a/b", contents: "hello" },
    { kind: "symlink", path: "bash", target: pkgs.bash },
  ]);
  const built = pkgs.runCommand("built", { text }, \`
    mkdir $out
    for i in $(seq 300); do echo "line $i"; cat $text/a/b > $out/$i; done
    ln -s $text $out/text
    sleep 1
  \`);
  const many = [1, 2, 3, 4].map((n) => pkgs.runCommand(\`many-\${n}\`, {}, \`mkdir $out; sleep 0.\${n}; head -c \${n}000000 /dev/zero > $out/zeros\`));
  const tree = pkgs.composeRoot({ name: "tree", packages: ["grep", "sed"] });
  return { env: { ALL: pkgs.linkFarm("all", { built, tree, many: pkgs.buildEnv({ name: "env", paths: [pkgs.gnused, pkgs.gnugrep], pathsToLink: ["/bin"] }), ...Object.fromEntries(many.map((one, i) => [\`many-\${i}\`, one])) }) } };
});
`;

test("a build killed fifty times at random points leaves nothing wrong", { timeout: 900_000 }, async (t) => {
  await using mirror = await startLoopbackMirror({ upstream: true });
  const env = { TSOS_MIRRORS: mirror.TSOS_MIRRORS };
  await using untouched = createPrivateStore(env);
  await using store = createPrivateStore(env);
  for (const { project } of [untouched, store]) writeFileSync(join(project, "shell.config.ts"), CONFIG);
  const command = ["build", "env.ALL", "--no-check"];
  // Once, so that the mirror has all of it and every later build takes the time of its own work.
  await untouched.do(...command, "--no-link");
  await untouched.do("gc");
  mirror.bytesPerSecond = 2_000_000;
  await killBuilds(t, { random: createRandom(), kills: 50, untouched, store, commands: [command] });
});
