import { connect } from "node:net";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { unreachable } from "../../util/unreachable.ts";
import type { HealthCheck } from "../manifest.ts";
import { runCommand } from "./system-manager.ts";

export type FailedCheck = { readonly name: string; readonly reason: string };

/** Tries all checks, each until it holds or its time is over; returns those that never held. */
export async function runHealthChecks(checks: readonly HealthCheck[]): Promise<readonly FailedCheck[]> {
  const results = await Promise.all(
    checks.map(async (check): Promise<FailedCheck | undefined> => {
      const deadline = Date.now() + check.timeoutSeconds * 1000;
      for (let delay = 50; ; delay = Math.min(delay * 2, 1000)) {
        const reason = await tryCheck(check, Math.max(1, (deadline - Date.now()) / 1000));
        if (reason === undefined) return undefined;
        if (Date.now() + delay >= deadline) return { name: check.name, reason };
        await sleep(delay);
      }
    }),
  );
  return results.filter((result) => result !== undefined);
}

/** Undefined when it holds, else why it does not. */
async function tryCheck(check: HealthCheck, seconds: number): Promise<string | undefined> {
  switch (check.kind) {
    case "unit": {
      const result = await runCommand("systemctl", ["is-active", "--", check.unit], { seconds });
      return result.code === 0 ? undefined : `${check.unit} is ${result.output}`;
    }
    case "tcp":
      return await new Promise((resolve) => {
        const socket = connect({ host: check.host, port: check.port, timeout: seconds * 1000 });
        const end = (reason: string | undefined): void => {
          socket.destroy();
          resolve(reason);
        };
        socket.once("connect", () => end(undefined));
        socket.once("timeout", () => end(`no answer from ${check.host}:${check.port}`));
        socket.once("error", (error) => end(error.message));
      });
    case "http":
      return await new Promise((resolve) => {
        const get = check.url.startsWith("https:") ? getHttps : getHttp;
        const request = get(check.url, { timeout: seconds * 1000 }, (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            if (body.length < 1 << 20) body += chunk;
          });
          response.once("error", (error) => resolve(error.message));
          response.once("end", () => {
            const status = response.statusCode ?? 0;
            if (check.status === undefined ? status >= 400 : status !== check.status) resolve(`${check.url} answers with status ${status}`);
            else if (check.contains !== undefined && !body.includes(check.contains)) resolve(`the answer of ${check.url} lacks "${check.contains}"`);
            else resolve(undefined);
          });
        });
        request.once("timeout", () => request.destroy(new Error(`no answer from ${check.url}`)));
        request.once("error", (error) => resolve(error.message));
      });
    case "command": {
      const [command = "", ...args] = check.command;
      const result = await runCommand(command, args, { seconds });
      return result.code === 0 ? undefined : `"${check.command.join(" ")}" ended with ${result.code}: ${result.output.slice(-500)}`;
    }
    default:
      return unreachable(check);
  }
}
