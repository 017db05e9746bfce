import { spawn } from "node:child_process";
import { TsosError } from "../../error/tsos-error.ts";
import type { SourceContext } from "./scheme.ts";
import { hidePassword } from "./source-url.ts";

/** A repository as git's program is told of it. */
export type GitRepository = { readonly gitDir: string; readonly workTree?: string | undefined };

// Of the user's environment all that leads to another repository, or to another view of this one, is left out.
const LEFT_OUT = /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX|CEILING_DIRECTORIES|CONFIG|CONFIG_PARAMETERS|CONFIG_COUNT|CONFIG_(KEY|VALUE)_\d+)$/;

// What a repository's own settings would run.
const SAFE = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false", "-c", "gc.auto=0", "-c", "log.showSignature=false"];

/** How git ended, with what it wrote. */
export type GitOutcome = { readonly code: number; readonly output: Buffer; readonly errors: string };

/** What it reads, and where it runs. */
export type GitInput = { readonly input?: string | Buffer | undefined; readonly cwd?: string | undefined };

/** Runs git to its end. A repository is always named, so that none is looked for in folders above. */
export async function tryGit(repository: GitRepository | undefined, args: readonly string[], context: SourceContext, options: GitInput = {}): Promise<GitOutcome> {
  context.signal?.throwIfAborted();
  const child = spawn("git", [...SAFE, ...locate(repository), ...args], { env: environment(context), stdio: ["pipe", "pipe", "pipe"], ...folderFor(repository, options.cwd), ...(context.signal === undefined ? {} : { signal: context.signal }) });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause: NodeJS.ErrnoException) => reject(context.signal?.aborted === true ? context.signal.reason : notRunning(cause)));
    child.once("close", (status) => resolve(status ?? 1));
  });
  return { code, output: Buffer.concat(output), errors: Buffer.concat(errors).toString("utf8").trim() };
}

/** The same for what must go well. @throws TsosError `source.git-failed` with git's own words */
export async function runGit(repository: GitRepository | undefined, args: readonly string[], context: SourceContext, options: GitInput = {}): Promise<Buffer> {
  const { code, output, errors } = await tryGit(repository, args, context, options);
  if (code !== 0) throw gitFailed(args, errors, code);
  return output;
}

/** What git writes, as it comes; `input` is written to it. */
export async function* streamGit(repository: GitRepository, args: readonly string[], context: SourceContext, input: string): AsyncGenerator<Buffer> {
  const child = spawn("git", [...SAFE, ...locate(repository), ...args], { env: environment(context), stdio: ["pipe", "pipe", "pipe"], ...folderFor(repository), ...(context.signal === undefined ? {} : { signal: context.signal }) });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  child.stdin.on("error", () => undefined);
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", (cause: NodeJS.ErrnoException) => reject(context.signal?.aborted === true ? context.signal.reason : notRunning(cause)));
    child.once("close", (status) => resolve(status ?? 1));
  });
  ended.catch(() => undefined);
  child.stdin.end(input);
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const code = await ended;
    if (code !== 0) throw gitFailed(args, Buffer.concat(errors).toString("utf8").trim(), code);
  } finally {
    if (child.exitCode === null) child.kill("SIGKILL");
  }
}

/** At the root of a working tree: in a folder of it git would see that folder only. */
function folderFor(repository: GitRepository | undefined, cwd: string | undefined = repository?.workTree): { readonly cwd?: string } {
  return cwd === undefined ? {} : { cwd };
}

function locate(repository: GitRepository | undefined): readonly string[] {
  if (repository === undefined) return [];
  return [`--git-dir=${repository.gitDir}`, ...(repository.workTree === undefined ? [] : [`--work-tree=${repository.workTree}`])];
}

function environment(context: SourceContext): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(context.env)) if (value !== undefined && !LEFT_OUT.test(name)) env[name] = value;
  // Reading must not write, and texts are compared with.
  return { ...env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}

function notRunning(cause: NodeJS.ErrnoException): TsosError {
  return cause.code === "ENOENT"
    ? new TsosError({ code: "source.no-git", message: "there is no program git on PATH", hint: "install git, or use an archive (github, gitlab, tarball), which needs none", cause })
    : new TsosError({ code: "source.git-failed", message: `cannot run git: ${cause.message}`, cause });
}

function gitFailed(args: readonly string[], errors: string, code: number): TsosError {
  const shown = hideAll(errors === "" ? `it ended with code ${code}` : errors);
  const command = args.find((word) => !word.startsWith("-")) ?? "";
  return new TsosError({ code: "source.git-failed", message: `git ${command} failed: ${shown.split("\n").join("\n  ")}`, data: { code } });
}

/** Git repeats the URL that it was given, password and all. */
function hideAll(text: string): string {
  return text.replace(/[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s'"]+/g, (url) => hidePassword(url));
}
