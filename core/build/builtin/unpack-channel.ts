import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { unpackArchive } from "../../fetch/source/unpack-archive.ts";
import type { BuiltinBuilder } from "../builtin-builder.ts";
import { getArgument, outputPath } from "./builtin-arguments.ts";

// Followed: Nix, libstore/builtins/unpack-channel.cc.

/**
 * Nix's own `builtin:unpack-channel`: the archive `src`, of whatever kind, → a folder that holds what is alone at the archive's top,
 * under the name `channelName`.
 *
 * @throws TsosError `builtin.bad-channel`, `archive.*`
 */
export const unpackChannel: BuiltinBuilder = async (context) => {
  const out = outputPath(context);
  const name = getArgument(context, "channelName");
  if (name.includes("/") || name === "." || name === "..") {
    throw new TsosError({ code: "builtin.bad-channel", message: `channelName is not allowed to contain filesystem separators, got ${name}`, data: { name } });
  }
  const src = getArgument(context, "src");
  await unpackArchive(context.resolvedPath(src), out, { signal: context.signal });
  const [only, ...others] = readdirSync(out, "buffer");
  if (only === undefined || others.length > 0) {
    throw new TsosError({ code: "builtin.bad-channel", message: `channel tarball '${src}' contains more than one file`, hint: "an archive with one folder at its top is expected", data: { src } });
  }
  renameSync(Buffer.concat([Buffer.from(`${out}/`), only]), join(out, name));
};
