/**
 * The main job from end to end, on real software: a configuration becomes a running machine, is switched to
 * another and rolled back. Each step is what a command of tsos does, and each claim is checked.
 */
import { rm, readFile } from "node:fs/promises";
import { join } from "node:path";
import { assert } from "../../core/util/unreachable.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";
import { readManifest } from "../../core/system/activate/read-manifest.ts";
import { compareGenerations, describeDifference, type GenerationContents } from "../../core/system/generation-difference.ts";
import { startMachine } from "../../core/system/machine.ts";
import { listSystem, switchSystem } from "../../core/system/switch.ts";
import type { SwitchTarget } from "../../core/system/switch-target.ts";
import { withContext, type CommandContext } from "../context.ts";
import { evaluateChecked } from "../evaluation.ts";
import { instantiate } from "../../core/store/instantiate.ts";
import { defaultFlags } from "../global-flags.ts";
import { findInstallation } from "../installation.ts";
import { formatTable } from "../output/table.ts";
import { formatDuration } from "../output/units.ts";
import { realiseResults } from "../realise.ts";
import { requireRoot } from "../require-root.ts";
import { findContainerTool } from "../tools.ts";

type Stage = { readonly name: string; readonly milliseconds: number; readonly result: string };

const installation = findInstallation();
const first = join(installation, "templates/server/system.config.ts");
const second = join(installation, "cli/demo/second/system.config.ts");

async function demo(context: CommandContext): Promise<number> {
  requireRoot(context, "npm run demo", "boots a container", "run it with sudo; \"tsos build\" and \"tsos shell\" work without");
  const stages: Stage[] = [];
  const begun = performance.now();
  const stage = async <T>(name: string, run: () => Promise<T>, describe: (value: T) => string): Promise<T> => {
    context.say(context.errStyle.bold(`▶ ${name}`));
    const started = performance.now();
    const value = await run();
    const result = describe(value);
    stages.push({ name, milliseconds: performance.now() - started, result });
    context.say(`  ${result}`);
    return value;
  };
  const expect = (holds: boolean, message: string, got: string): void => {
    if (!holds) throw new TsosError({ code: "demo.unexpected", message: `${message}, got: ${got.trim().slice(0, 400)}` });
  };

  const store = await context.openStore();
  const evaluation = await stage("type-check and evaluate templates/server", () => evaluateChecked(context, first, { kind: "system" }, true), (value) => `${value.instantiation.derivations.length} derivations${value.cached ? ", remembered" : ""}`);
  await stage("instantiate", () => instantiate(store, evaluation.instantiation, context.signal), () => evaluation.result.toplevel.drvPath);
  const toplevel = evaluation.result.toplevel.outPath;
  await stage("realise the machine", () => realiseResults(context, store, { instantiation: evaluation.instantiation, targets: [evaluation.result.toplevel] }), () => toplevel);
  const nspawn = await stage("find what boots a container", () => findContainerTool(context, store), (tool) => tool.command);

  const folder = join(context.places.state, "machines", "demo");
  const root = join(folder, "root");
  await rm(folder, { recursive: true, force: true });
  try {
    await using machine = await stage(
      "boot it",
      () =>
        startMachine({
          name: "demo",
          root,
          toplevel,
          realStoreDir: store.realStoreDir,
          storeDir: store.storeDir,
          stateFolder: folder,
          nspawn: [nspawn.command, ...nspawn.args],
          addRoot: (link) => store.addIndirectRoot(link),
          report: context.report,
          signal: context.signal,
        }),
      (started) => (started.failedUnits.length === 0 ? "systemd is up, no unit failed" : `units failed: ${started.failedUnits.join(", ")}`),
    );
    expect(machine.failedUnits.length === 0, "expected no failed unit", machine.failedUnits.join(", "));

    const run = async (...command: readonly [string, ...string[]]): Promise<string> => {
      const { code, stdout, stderr } = await machine.run(command, { signal: context.signal });
      expect(code === 0, `expected "${command.join(" ")}" to succeed`, stderr || stdout);
      return stdout.trim();
    };
    const fetchPage = async (port: number): Promise<string> => {
      await using forwarded = await machine.forwardPort(0, port);
      const response = await fetch(`http://127.0.0.1:${forwarded.hostPort}/`, { headers: { connection: "close" }, signal: AbortSignal.any([context.signal, AbortSignal.timeout(10_000)]) });
      return response.text();
    };
    const pageOf = async (config: string): Promise<string> => readFile(join(config, "../site/index.html"), "utf8");
    const checkPage = async (port: number, config: string): Promise<string> => {
      const page = await fetchPage(port);
      expect(page === (await pageOf(config)), `expected the page of ${config} on port ${port}`, page);
      return `port ${port}: ${/<h1>(.*)<\/h1>/.exec(page)?.[1] ?? page}`;
    };

    await stage("fetch its page over HTTP", () => checkPage(80, first), (text) => text);
    await stage(
      "query its database over the socket",
      () => run("runuser", "-u", "postgres", "--", "psql", "-h", "/run/postgresql", "-tAc", "select datname || ' belongs to ' || rolname from pg_database join pg_roles on datdba = pg_roles.oid where datname = 'app'"),
      (text) => text,
    );
    await stage(
      "use it as dev",
      async () => {
        const groups = await run("id", "-nG", "dev");
        expect(groups.split(" ").includes("wheel"), "expected dev to be in wheel", groups);
        const user = await run("runuser", "-u", "dev", "--", "sudo", "-n", "id", "-un");
        expect(user === "root", "expected sudo to give root", user);
        return [await run("git", "--version"), (await run("nvim", "--version")).split("\n")[0]!, await run("htop", "--version"), `sshd ${await run("systemctl", "is-active", "sshd")}`].join(", ");
      },
      (text) => text,
    );

    const switchTo = async (target: SwitchTarget): Promise<number> => {
      const result = await switchSystem({
        action: "switch",
        target,
        root,
        realPath: (path) => store.realPath(path),
        addRoot: (link) => store.addIndirectRoot(link),
        signal: context.signal,
        onOutput: (text) => {
          for (const line of text.split("\n")) if (line.trim() !== "") context.say(context.errStyle.dim(`  ${line}`));
        },
      });
      expect(result.exitCode === 0 && result.generation !== undefined, "expected the switch to succeed", `exit code ${result.exitCode}`);
      return result.generation!;
    };

    const next = await stage(
      "evaluate and realise the second configuration",
      async () => {
        const evaluated = await evaluateChecked(context, second, { kind: "system" }, true);
        await realiseResults(context, store, { instantiation: evaluated.instantiation, targets: [evaluated.result.toplevel] });
        return evaluated.result.toplevel.outPath;
      },
      (path) => path,
    );
    await stage("switch the running machine", () => switchTo({ kind: "toplevel", toplevel: next }), (generation) => `generation ${generation}`);
    await stage(
      "see what changed",
      async () => {
        const page = await checkPage(8080, second);
        const ssh = await machine.run(["systemctl", "is-active", "sshd"]);
        expect(ssh.code !== 0, "expected sshd to be stopped", ssh.stdout);
        const guest = await run("id", "-un", "guest");
        const before = await contentsOf(toplevel);
        const after = await contentsOf(next);
        for (const line of describeDifference(compareGenerations(before, after, (path) => store.realPath(path)))) context.say(`  ${line}`);
        return `${page}; sshd stopped; user ${guest} is there`;
      },
      (text) => text,
    );
    await stage("roll back", () => switchTo({ kind: "rollback" }), (generation) => `generation ${generation}`);
    await stage(
      "see the first page again",
      async () => {
        const page = await checkPage(80, first);
        const ssh = await run("systemctl", "is-active", "sshd");
        const current = listSystem(root, (path) => store.realPath(path)).find((one) => one.isCurrent);
        assert(current !== undefined, "a machine that was switched has a current generation");
        expect(current.toplevel === toplevel, "expected the first toplevel to be current", current.toplevel);
        return `${page}; sshd ${ssh}`;
      },
      (text) => text,
    );
    await stage("stop the machine", () => machine.stop(), () => "stopped");

    async function contentsOf(path: string): Promise<GenerationContents> {
      return { manifest: readManifest(store.realPath(path)), closure: [...(await store.closure([parseStorePath(path, store.storeDir)]))] };
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  const rows = stages.map(({ name, milliseconds, result }) => [name, formatDuration(milliseconds), result.length > 60 ? `${result.slice(0, 59)}…` : result]);
  context.print(`\n${formatTable(["stage", "time", "result"], [...rows, ["in all", formatDuration(performance.now() - begun), ""]])}`);
  return 0;
}

const { version } = JSON.parse(await readFile(join(installation, "package.json"), "utf8")) as { version: string };
process.exitCode = await withContext(
  { ...defaultFlags, verbosity: process.argv.includes("-v") ? 1 : 0 },
  version,
  demo,
);
