import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { repairPath } from "../../core/build/repair-path.ts";
import { serveStore } from "../../core/daemon/server/serve-store.ts";
import { exportPaths, importPaths } from "../../core/store/export-paths.ts";
import { toStorePath } from "../follow-links.ts";
import { buildStatus } from "./build-status.ts";
import { nixBuildOptions } from "./build-targets.ts";
import { ClassicUsageError } from "./classic-arguments.ts";
import { allowFlags, allowNoWords, show, type StoreCall } from "./store-call.ts";

/** `nix-store --export PATH…`: these paths alone, as a stream. */
export async function exportTo(call: StoreCall): Promise<number> {
  allowFlags(call);
  const { store, args, environment } = call;
  const paths = [...new Set(args.map((argument) => toStorePath(store, argument)))];
  await store.addTemporaryRoot(...paths);
  await pipeline(exportPaths(store, paths, { signal: environment.signal }), process.stdout, { end: false });
  return 0;
}

/** `nix-store --import`: what such a stream holds. */
export async function importFrom(call: StoreCall): Promise<number> {
  allowFlags(call);
  allowNoWords(call);
  for (const path of await importPaths(call.store, process.stdin, { signal: call.environment.signal })) call.print(show(call, path));
  await call.store.flush();
  return 0;
}

/** `nix-store --init`: opening the store has made it. */
export async function init(call: StoreCall): Promise<number> {
  allowFlags(call);
  allowNoWords(call);
  return 0;
}

/** `nix-store --optimise`. */
export async function optimise(call: StoreCall): Promise<number> {
  const { flags, args, store, environment } = call;
  if (flags.length > 0 || args.length > 0) throw new ClassicUsageError("no arguments expected");
  const { filesLinked, bytesFreed } = await store.optimise(undefined, { signal: environment.signal });
  environment.say(`${(bytesFreed / 1024 / 1024).toFixed(1)} MiB freed by hard-linking ${filesLinked} files`);
  return 0;
}

/** `nix-store --repair-path PATH…`. */
export async function repairPaths(call: StoreCall): Promise<number> {
  const { flags, args, store, environment, options } = call;
  if (flags.length > 0) throw new ClassicUsageError("no flags expected");
  const build = await nixBuildOptions(environment, options, store);
  for (const argument of args) {
    await environment.whileBuilding(() => repairPath(store, toStorePath(store, argument), { build, substituter: build.substituter, signal: environment.signal }));
  }
  return 0;
}

/** `nix-store --serve [--write]`: for `ssh://` stores of other machines. */
export async function serve(call: StoreCall): Promise<number> {
  allowFlags(call, "--write");
  allowNoWords(call);
  const { flags, store, environment, options } = call;
  await environment.whileBuilding(() =>
    serveStore({
      store,
      input: process.stdin,
      output: process.stdout,
      write: flags.includes("--write"),
      signal: environment.signal,
      buildOptions: async ({ keepFailed }) => ({ ...(await nixBuildOptions(environment, options, store)), keepFailed }),
      statusOf: buildStatus,
    }),
  );
  return 0;
}

/** `nix-store --generate-binary-cache-key NAME SECRET-FILE PUBLIC-FILE`. */
export async function generateBinaryCacheKey(call: StoreCall): Promise<number> {
  allowFlags(call);
  if (call.args.length !== 3) throw new ClassicUsageError("three arguments expected");
  const [name, secretFile, publicFile] = call.args as [string, string, string];
  const { privateKey } = generateKeyPairSync("ed25519");
  const { d, x } = privateKey.export({ format: "jwk" }) as { readonly d: string; readonly x: string };
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  writeFileSync(publicFile, `${name}:${point.toString("base64")}`, { mode: 0o666 });
  writeFileSync(secretFile, `${name}:${Buffer.concat([seed, point]).toString("base64")}`, { mode: 0o600 });
  return 0;
}
