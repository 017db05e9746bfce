import { accessSync, constants, readFileSync } from "node:fs";
import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { BuildOptions } from "./build-options.ts";
import { derivationAttribute, derivationList } from "./derivation-attributes.ts";

const PLATFORMS: Readonly<Record<string, readonly string[]>> = { x64: ["x86_64-linux", "i686-linux"], arm64: ["aarch64-linux"] };

/** What a processor has at each level of x86-64, as the kernel names it. Nix: libutil/compute-levels.cc */
const LEVELS = [
  [],
  ["cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"],
  ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"],
  ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
] as const;

/** `x86_64-v1-linux` and the further levels that this machine's processor is of. */
function levelsOfProcessor(): readonly string[] {
  if (process.arch !== "x64") return [];
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? []);
  const missing = LEVELS.findIndex((level) => level.some((flag) => !flags.has(flag)));
  return LEVELS.slice(0, missing < 0 ? LEVELS.length : missing).map((_, level) => `x86_64-v${level + 1}-linux`);
}

/** Nix's setting `system-features` where nobody has set it. Nix: libstore/globals.cc, getDefaultSystemFeatures */
export function defaultSystemFeatures(): readonly string[] {
  return ["benchmark", "big-parallel", ...(mayUse("/dev/kvm") ? ["kvm"] : []), "nixos-test", "uid-range"];
}

function mayUse(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether this machine is of the kind that the derivation asks for. */
export function canBuildHere(derivation: Derivation, options: BuildOptions): boolean {
  if (options.jobs === 0) return false;
  try {
    checkPlatform(derivation, options);
    return true;
  } catch (error) {
    if (error instanceof TsosError) return false;
    throw error;
  }
}

/** @throws TsosError `build.wrong-platform`, `build.unknown-feature`, `build.no-uid-range`, `build.no-sandbox-asked`, `build.impure-host-path` */
export function checkPlatform(derivation: Derivation, options: BuildOptions): void {
  const own = [...(PLATFORMS[process.arch] ?? []), ...(options.extraPlatforms ?? [])];
  const platforms = own.includes(derivation.platform) ? own : [...own, ...levelsOfProcessor()];
  const required = derivationList(derivation, "requiredSystemFeatures") ?? [];
  const features = required.length === 0 ? [] : (options.systemFeatures ?? defaultSystemFeatures());
  const feature = required.find((name) => !features.includes(name));
  if (!platforms.includes(derivation.platform)) {
    throw new TsosError({
      code: "build.wrong-platform",
      message: `it is for "${derivation.platform}", this machine builds for ${platforms.map((platform) => `"${platform}"`).join(", ")}`,
      data: { platform: derivation.platform, platforms, ...(feature === undefined ? {} : { required, features }) },
    });
  }
  if (feature !== undefined) {
    throw new TsosError({
      code: "build.unknown-feature",
      message: `it requires the system feature "${feature}", expected one of ${features.join(", ")}`,
      data: { feature, required, features },
    });
  }
  if (required.includes("uid-range")) {
    throw new TsosError({
      code: "build.no-uid-range",
      message: 'it requires the system feature "uid-range", and tsos gives a build one user only',
      hint: "have it built by another machine (--builders)",
    });
  }
  // Where the machine's files are shown to all builds there is nothing more that it could ask for.
  if (options.networkForAll === true) return;
  const unsandboxed = derivationAttribute(derivation, "__noChroot");
  if (unsandboxed === "1" || unsandboxed === true) {
    throw new TsosError({
      code: "build.no-sandbox-asked",
      message: 'it has "__noChroot" set, and tsos builds in a sandbox only',
      hint: "remove the attribute; what it needs of the machine must become an input",
    });
  }
  const [path] = derivationList(derivation, "__impureHostDeps") ?? [];
  if (path !== undefined) {
    throw new TsosError({
      code: "build.impure-host-path",
      message: `it asks by "__impureHostDeps" for "${path}" of the machine, and no such path is shown to a build that asks`,
      hint: 'show it to all builds ("sandbox-paths"), or make it an input',
      data: { path },
    });
  }
}
