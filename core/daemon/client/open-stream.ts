import { spawn } from "node:child_process";
import { connect } from "node:net";
import { TsosError } from "../../error/tsos-error.ts";
import { sealDescriptors } from "../../util/seal-descriptors.ts";
import type { RemoteStream } from "./remote-connection.ts";

/** How much of what a program says is kept for errors. */
const MAX_COMPLAINT = 8192;

/** @throws TsosError `daemon.cannot-connect` */
export async function connectSocket(path: string, name: string): Promise<RemoteStream> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (cause) => reject(new TsosError({ code: "daemon.cannot-connect", message: `cannot connect to the daemon at "${path}": ${cause.message}`, data: { store: name }, cause })));
  });
  socket.on("error", () => socket.destroy());
  return {
    input: socket,
    output: socket,
    name,
    async close() {
      socket.destroy();
    },
  };
}

/** A program that speaks on its standard input and output; what it says on standard error is kept for errors. */
export async function startProgram(command: string, args: readonly string[], name: string, env: Readonly<Record<string, string | undefined>>): Promise<RemoteStream> {
  sealDescriptors();
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env });
  let complaint = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => (complaint = (complaint + text).slice(-MAX_COMPLAINT)));
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (cause) => {
      complaint += cause.message;
      child.stdout.destroy();
      resolve();
    });
  });
  child.stdin.on("error", () => child.stdin.destroy());
  return {
    input: child.stdout,
    output: child.stdin,
    name,
    complaint: () => complaint,
    async close() {
      child.stdin.destroy();
      child.stdout.destroy();
      const timer = setTimeout(() => child.kill("SIGKILL"), 2000);
      await ended;
      clearTimeout(timer);
    },
  };
}
