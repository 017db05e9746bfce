import { spawn } from "node:child_process";
import { TsosError } from "../../error/tsos-error.ts";
import type { SourceContext } from "./scheme.ts";

/** Runs Mercurial to its end, without the user's own settings of how it prints. @throws TsosError `source.hg-failed` */
export async function runHg(args: readonly string[], context: SourceContext): Promise<Buffer> {
  context.signal?.throwIfAborted();
  const child = spawn("hg", [...args], { env: { ...context.env, HGPLAIN: "", HGPLAINEXCEPT: undefined, LC_ALL: "C.UTF-8" }, stdio: ["ignore", "pipe", "pipe"], ...(context.signal === undefined ? {} : { signal: context.signal }) });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause: NodeJS.ErrnoException) => {
      if (context.signal?.aborted === true) reject(context.signal.reason);
      else if (cause.code === "ENOENT") reject(new TsosError({ code: "source.no-hg", message: "hg failed with exit code 1: there is no program hg on PATH", hint: "install Mercurial", cause }));
      else reject(new TsosError({ code: "source.hg-failed", message: `cannot run hg: ${cause.message}`, cause }));
    });
    child.once("close", (status) => resolve(status ?? 1));
  });
  if (code !== 0) {
    const said = Buffer.concat(errors).toString("utf8").trim();
    throw new TsosError({ code: "source.hg-failed", message: `hg failed with exit code ${code}${said === "" ? "" : `: ${said.split("\n").join("\n  ")}`}`, data: { code } });
  }
  return Buffer.concat(output);
}
