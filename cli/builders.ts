import { readFileSync } from "node:fs";
import type { RemoteBuilders } from "../core/build/remote-builders.ts";
import { createRemoteBuilders } from "../core/daemon/builders/remote-builders.ts";
import { parseMachines } from "../core/daemon/builders/parse-machines.ts";
import { openRemoteStore } from "../core/daemon/client/open-remote-store.ts";
import type { LocalStore } from "../core/store/store.ts";
import type { ProgressListener } from "../core/util/progress.ts";
import { systemName } from "./nix/evaluation-settings.ts";
import { sshCommand } from "./ssh-command.ts";

export type BuildersRequest = {
  /** Machines as `--builders` and the setting `builders` have them. */
  readonly builders: string;
  readonly useSubstitutes: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly report: ProgressListener;
};

/** The machines that build for this one; undefined where none is named. @throws TsosError `daemon.bad-machine` */
export function openBuilders(store: LocalStore, { builders, useSubstitutes, env, report }: BuildersRequest): RemoteBuilders | undefined {
  const machines = parseMachines(builders, { system: systemName(), readFile: readIfThere });
  if (machines.length === 0) return undefined;
  return createRemoteBuilders({
    machines,
    loadDir: `${store.stateDir}/current-load`,
    useSubstitutes,
    report,
    open: ({ url, sshKey }) => {
      const isSsh = url.startsWith("ssh");
      const keyed = sshKey === undefined || !isSsh ? url : `${url}${url.includes("?") ? "&" : "?"}ssh-key=${encodeURIComponent(sshKey)}`;
      return openRemoteStore(keyed, { storeDir: store.storeDir, environment: env, ssh: sshCommand(env), report, useSubstitutes });
    },
  });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
