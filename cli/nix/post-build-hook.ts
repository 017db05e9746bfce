import type { BuiltDerivation } from "../../core/build/build-options.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import { formatStorePath } from "../../core/store-path/store-path.ts";
import { compareUtf8 } from "../../core/util/ordering.ts";
import { createLineSplitter } from "../../core/util/line-splitter.ts";
import { runProcess } from "../../core/util/process.ts";
import { signalWords } from "./build-words.ts";

/**
 * The program of the setting `post-build-hook`, for each derivation that was built: it learns of it by `DRV_PATH` and
 * `OUT_PATHS`, and of the settings by `NIX_CONFIG`. Undefined where there is none. Nix: libstore/build/derivation-building-goal.cc,
 * runPostBuildHook
 *
 * @param say takes what it prints, line by line
 */
export function postBuildHook(settings: NixConfiguration, env: NodeJS.ProcessEnv, storeDir: string, say: (line: string) => void): ((built: BuiltDerivation) => Promise<void>) | undefined {
  const program = settings.find("post-build-hook") ?? "";
  if (program === "") return undefined;
  const inherited = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return async ({ drvPath, outputs, signal }) => {
    const lines = createLineSplitter((line) => say(`post-build-hook: ${line}`));
    const paths = outputs.map((path) => formatStorePath(path, storeDir)).sort(compareUtf8);
    const end = await runProcess({
      command: program,
      args: [],
      env: { NIX_CONFIG: settings.format(), ...inherited, DRV_PATH: formatStorePath(drvPath, storeDir), OUT_PATHS: paths.join(" ") },
      signal,
      onOutput: (chunk) => lines.write(chunk),
    });
    lines.end();
    if (end.kind === "exited" && end.code === 0) return;
    const how = end.kind === "exited" ? `failed with exit code ${end.code}` : signalWords(end.signal);
    throw new TsosError({ code: "nix.post-build-hook", message: `program '${program}' ${how}`, data: { program, derivation: formatStorePath(drvPath, storeDir) } });
  };
}
