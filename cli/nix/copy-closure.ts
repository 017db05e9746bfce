import { copyPaths } from "../../core/cache/copy-paths.ts";
import { openRemoteStore } from "../../core/daemon/client/open-remote-store.ts";
import { sortUsersFirst } from "../../core/store/sort-paths.ts";
import type { Store } from "../../core/store/store.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { toStorePath } from "../follow-links.ts";
import { sshCommand } from "../ssh-command.ts";
import { ClassicUsageError, parseClassicArguments } from "./classic-arguments.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { openNixStore } from "./open-store.ts";
import { locateStore } from "./store-location.ts";

/** `nix-copy-closure`: paths with all that they need to or from a machine that ssh reaches. Nix: src/nix/nix-copy-closure */
export async function copyClosure(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const { env } = environment;
  let toRemote = true;
  let useSubstitutes = false;
  let includeOutputs = false;
  let dryRun = false;
  let compress = false;
  const options = parseClassicArguments(args, env, environment.warn, (argument) => {
    switch (argument) {
      case "--gzip":
      case "--bzip2":
      case "--xz":
        // Ssh compresses in its own way only.
        if (argument !== "--gzip") environment.warn(`'${argument}' is not implemented, falling back to gzip`);
        compress = true;
        return true;
      case "--from":
        toRemote = false;
        return true;
      case "--to":
        toRemote = true;
        return true;
      case "--include-outputs":
        includeOutputs = true;
        return true;
      case "--show-progress":
        environment.say("Warning: '--show-progress' is not implemented");
        return true;
      case "--dry-run":
        dryRun = true;
        return true;
      case "--use-substitutes":
      case "-s":
        useSubstitutes = true;
        return true;
      default:
        return false;
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  const [host, ...wanted] = options.words;
  if (host === undefined) throw new ClassicUsageError("no host name specified");
  await using opened = openNixStore(locateStore(env, environment.uid, options.storeUrl), options.settings);
  const local = await opened.open();
  const url = `ssh://${host}`;
  await using remote = openRemoteStore(compress ? `${url}?compress=true` : url, { storeDir: local.storeDir, environment: env, ssh: sshCommand(env), useSubstitutes });
  const [from, to]: readonly [Store, Store] = toRemote ? [local, remote] : [remote, local];
  const paths = wanted.map((word) => (toRemote ? toStorePath(local, word) : parseStorePath(word, local.storeDir)));
  if (includeOutputs && toRemote) paths.push(...(await local.closure(paths, { includeOutputs: true })));
  const missing = await findMissing(from, to, paths);
  const show = (path: StorePath): string => formatStorePath(path, local.storeDir);
  if (missing.length === 0) return 0;
  environment.say(`copying ${missing.length} paths...`);
  if (dryRun) {
    for (const path of missing) environment.say(show(path));
    return 0;
  }
  await environment.whileBuilding(async () => {
    // One after the other, as they are told.
    for (const path of missing) {
      environment.say(`copying path '${show(path)}' ${toRemote ? "to" : "from"} '${url}'...`);
      await copyPaths(from, to, [path], { noRecursive: true, signal: environment.signal });
    }
  });
  if (!toRemote) await local.flush();
  return 0;
}

/** What the closure holds and the other store does not, each after what it needs. */
async function findMissing(from: Store, to: Store, paths: readonly StorePath[]): Promise<readonly StorePath[]> {
  const references = new Map<StorePath, readonly StorePath[]>();
  for (let level: readonly StorePath[] = [...new Set(paths)]; level.length > 0; ) {
    const infos = await Promise.all(level.map((path) => from.getPathInfo(path)));
    for (const info of infos) references.set(info.path, info.references.filter((path) => path !== info.path));
    level = [...new Set(infos.flatMap((info) => info.references))].filter((path) => !references.has(path));
  }
  const there = await to.queryValidPaths(references.keys());
  return sortUsersFirst(references).toReversed().filter((path) => !there.has(path));
}
