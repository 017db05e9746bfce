import { buildEnv, symlinkJoin } from "./build-support/build-env.ts";
import { composeOsRoot } from "./build-support/compose-os-root.ts";
import { composeRoot } from "./build-support/compose-root.ts";
import { fetchSource } from "./build-support/fetch-source.ts";
import { fetchurl } from "./build-support/fetchurl.ts";
import { npmPackage, unpackNpm } from "./build-support/npm-package.ts";
import { runCommand } from "./build-support/run-command.ts";
import { seedPackage, unpackSeed } from "./build-support/seed-package.ts";
import { linkFarm, writeScriptBin, writeShellScript, writeShellScriptBin, writeText, writeTree } from "./build-support/write-tree.ts";
import type { HelperDefinition, HelperValue } from "../core/index.ts";
import { mkDerivation, stdenv } from "./stdenv/mk-derivation.ts";
import { tsosTools } from "./build-support/tsos-tools.ts";

/** The names of the set that are no packages: functions that make them. */
export const helpers = {
  buildEnv,
  composeOsRoot,
  composeRoot,
  fetchSource,
  fetchurl,
  linkFarm,
  mkDerivation,
  npmPackage,
  runCommand,
  seedPackage,
  stdenv,
  symlinkJoin,
  tsosTools,
  unpackNpm,
  unpackSeed,
  writeScriptBin,
  writeShellScript,
  writeShellScriptBin,
  writeText,
  writeTree,
} as const satisfies Readonly<Record<string, HelperDefinition<unknown>>>;

export type Helpers = { readonly [Name in keyof typeof helpers]: HelperValue<(typeof helpers)[Name]> };
