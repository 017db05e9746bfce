/**
 * Who kills tsos itself leaves bubblewrap without a parent: it asks to die with that only once it runs, and its child only
 * just before it becomes the builder. So beside a run's builds waits a shell, which does nothing until tsos is gone.
 *
 * Bubblewrap writes the number of its child, and the number of the namespace of processes that it is the first of, before it lets that
 * go on. It writes them to a file in a folder of the run, which is there before bubblewrap is.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { sealDescriptors } from "../util/seal-descriptors.ts";

/** What bubblewrap tells of one builder. */
export type BuilderStatus = Disposable & {
  /** A file to write it to, which the guard reads too. */
  readonly descriptor: number;
};

export type BuilderGuard = Disposable & {
  /** To be called before the builder's bubblewrap is started; it counts as running until the status is disposed. */
  openStatus(): BuilderStatus;
};

/** For how many twentieths of a second a bubblewrap that nobody has heard of may still come. */
const PATIENCE = 1200;

const SHELL = "/bin/sh";

// It reads the end of its input when tsos is gone, however that was. No file is left then but those of builders that still run.
// A number that another process got meanwhile is told from the builder by the namespace.
const SCRIPT = `
read -r line
cd "$1" || exit
round=0
while [ "$round" -lt "$2" ]; do
  left=
  for file in *; do
    [ -f "$file" ] || continue
    line=
    read -r line <"$file"
    case $line in
      *'"child-pid": '*'"pid-namespace": '[0-9]*' }')
        pid=\${line#*'"child-pid": '} pid=\${pid%%[!0-9]*}
        namespace=\${line#*'"pid-namespace": '} namespace=\${namespace%%[!0-9]*}
        if [ "$(readlink "/proc/$pid/ns/pid")" = "pid:[$namespace]" ]; then kill -9 "$pid"; fi
        rm "$file" ;;
      *) left=1 ;;
    esac
  done
  [ "$left" ] || break
  sleep 0.05 || sleep 1
  round=$((round + 1))
done
cd / && rm -r "$1"
`;

/**
 * Starts nothing until the first builder.
 *
 * @throws (`openStatus`) TsosError `build.no-guard` where there is no shell
 */
export function createBuilderGuard(): BuilderGuard {
  let guard: { readonly folder: string; readonly shell: ChildProcess } | undefined;
  let number = 0;
  return {
    openStatus() {
      guard ??= startGuard();
      const file = join(guard.folder, String(number++));
      const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
      return {
        descriptor,
        [Symbol.dispose]() {
          // Whoever is told of a file finds none: its builder has ended.
          unlinkSync(file);
          closeSync(descriptor);
        },
      };
    },
    [Symbol.dispose]() {
      guard?.shell.stdin?.destroy();
      guard = undefined;
    },
  };
}

function startGuard(): { readonly folder: string; readonly shell: ChildProcess } {
  sealDescriptors();
  const folder = mkdtempSync(join(tmpdir(), "tsos-builders-"));
  // In a session of its own: what interrupts or hangs up on tsos is not meant for it.
  const shell = spawn(SHELL, ["-c", SCRIPT, "tsos-guard", folder, String(PATIENCE)], { cwd: "/", env: { PATH: "/usr/bin:/bin:/run/current-system/sw/bin" }, stdio: ["pipe", "ignore", "ignore"], detached: true });
  // Said below; an error without a listener would end the program.
  shell.on("error", () => {});
  if (shell.pid === undefined) throw new TsosError({ code: "build.no-guard", message: `"${SHELL}" cannot be run, which ends the builders when tsos is killed`, hint: "builds need a shell of the machine" });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return { folder, shell };
}
