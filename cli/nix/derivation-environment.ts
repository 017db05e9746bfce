import { formatStructuredAttributes } from "../../core/build/structured-attributes.ts";
import type { Derivation } from "../../core/derivation/derivation.ts";
import { derivationOutputPaths } from "../../core/derivation/derivation-output-paths.ts";
import { formatStorePath } from "../../core/store-path/store-path.ts";
import { fromByteString } from "../../core/util/bytes.ts";

/** What a derivation's builder is given, for a shell in place of a build. */
export type DerivationEnvironment = {
  readonly env: Readonly<Record<string, string>>;
  /** Of the shell's own folder: name → bytes as characters. */
  readonly files: Readonly<Record<string, string>>;
  /** Bash that declares structured attributes. */
  readonly declarations: string;
};

/**
 * Nix: src/nix/nix-build
 *
 * @param folder the shell's own
 */
export function derivationEnvironment(derivation: Derivation, storeDir: string, cores: number, folder: string): DerivationEnvironment {
  const env: Record<string, string> = {};
  for (const name of ["NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP"]) env[name] = folder;
  env["NIX_STORE"] = storeDir;
  env["NIX_BUILD_CORES"] = String(cores);
  const files: Record<string, string> = {};
  const structured = derivation.env.get("__json");
  const asFile = new Set((structured === undefined ? (derivation.env.get("passAsFile") ?? "") : "").split(/\s+/).filter((word) => word !== ""));
  let count = 0;
  for (const [key, value] of derivation.env) {
    if (key === "__json") continue;
    const name = fromByteString(key);
    if (asFile.has(key)) {
      files[`.attr-${count}`] = value;
      env[`${name}Path`] = `${folder}/.attr-${count++}`;
    } else env[name] = fromByteString(value);
  }
  if (structured === undefined) return { env, files, declarations: "" };
  const outputs = Object.fromEntries([...derivationOutputPaths(derivation, storeDir)].map(([name, path]) => [name, path === undefined ? "" : formatStorePath(path, storeDir)]));
  const attributes = formatStructuredAttributes(fromByteString(structured), { outputs });
  for (const [extension, text] of [["json", attributes.json], ["sh", attributes.shell]] as const) {
    files[`.attrs.${extension}`] = Buffer.from(text).toString("latin1");
    env[`NIX_ATTRS_${extension.toUpperCase()}_FILE`] = `${folder}/.attrs.${extension}`;
  }
  return { env, files, declarations: attributes.shell };
}
