import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { runOnTerminal } from "../../core/util/run-on-terminal.ts";
import { removeAtExit } from "../nix/after-setup.ts";
import type { DerivationEnvironment } from "../nix/derivation-environment.ts";
import { DUMP_STATE, formatStateChange, parseBashState } from "./bash-dump.ts";
import { FOLDER_MARK, inheritedEnvironment, type ShellSnapshot } from "./shell-snapshot.ts";

export type CaptureOptions = {
  readonly name: string;
  readonly derivation: DerivationEnvironment;
  readonly bash: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pure: boolean;
  readonly cwd: string;
  /** The words that run others where the store is to be seen. */
  readonly wrap: (words: readonly string[]) => readonly string[];
};

/** What setup leaves in its folder is kept up to this, in bytes; a shell with more is set up each time. */
const LIMIT = 4 * 1024 * 1024;

/** Runs a derivation's setup as a shell of it does, and takes down what came of it; or its exit code, where it ended the shell. */
export async function captureShell(options: CaptureOptions): Promise<{ readonly snapshot: ShellSnapshot; readonly isWhole: boolean } | { readonly code: number }> {
  const { derivation, bash, name } = options;
  const folder = mkdtempSync(join(tmpdir(), "tsos-shell-"));
  try {
    const own = join(folder, "own");
    const place = (text: string): string => text.replaceAll(FOLDER_MARK, folder);
    for (const [file, contents] of Object.entries(derivation.files)) writeFileSync(join(folder, file), contents, "latin1");
    const inherited = inheritedEnvironment("derivation", options.env, options.pure);
    const given: Record<string, string> = { ...inherited, ...Object.fromEntries(Object.entries(derivation.env).map(([key, value]) => [key, place(value)])), IN_NIX_SHELL: options.pure ? "pure" : "impure" };
    if (options.pure) given["__ETC_PROFILE_SOURCED"] = "1";
    writeFileSync(own, formatScript(folder, derivation.declarations));
    const [command = bash, ...words] = options.wrap([bash, own]);
    const code = await runOnTerminal(command, words, { cwd: options.cwd, env: given });
    const dumps = [join(folder, "before"), join(folder, "after")].map((file) => {
      try {
        return readFileSync(file, "utf8");
      } catch {
        return undefined;
      }
    });
    const [before, after] = dumps;
    if (before === undefined || after === undefined) return { code: code === 0 ? 1 : code };
    for (const file of ["own", "before", "after"]) rmSync(join(folder, file));
    const mark = (text: string): string => text.replaceAll(folder, FOLDER_MARK);
    const script = formatStateChange(parseBashState(before), parseBashState(after), { inherited, given });
    const files = readFiles(folder);
    return {
      isWhole: files !== undefined,
      snapshot: {
        version: 1,
        style: "derivation",
        name,
        script: mark(script),
        files: Object.fromEntries(Object.entries(files ?? derivation.files).map(([file, contents]) => [file, contents === null ? null : mark(contents)])),
        bash,
        outputs: {},
        environment: { IN_NIX_SHELL: given["IN_NIX_SHELL"]!, NIX_BUILD_TOP: FOLDER_MARK },
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Setup makes the path; what was there before is put behind it when the shell is entered. */
function formatScript(folder: string, declarations: string): string {
  const dump = (file: string): string => `__tsos_dump=${folder}/${file}\n${DUMP_STATE}`;
  return [dump("before"), ...removeAtExit(folder), "unset PATH", "dontAddDisableDepTrack=1", declarations, "[ -e $stdenv/setup ] && source $stdenv/setup", dump("after"), "trap - EXIT", "exit 0", ""].join("\n");
}

/** What lies in a folder; undefined where that is too much, or no plain file. */
function readFiles(root: string): Readonly<Record<string, string | null>> | undefined {
  const files: Record<string, string | null> = {};
  let size = 0;
  const visit = (folder: string): boolean => {
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      const stats = lstatSync(file);
      if (stats.isDirectory()) {
        files[relative(root, file)] = null;
        if (!visit(file)) return false;
      } else if (!stats.isFile() || (size += stats.size) > LIMIT) return false;
      else files[relative(root, file)] = readFileSync(file, "latin1");
    }
    return true;
  };
  return visit(root) ? files : undefined;
}
