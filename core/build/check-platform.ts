import { accessSync, constants } from "node:fs";
import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { BuildOptions } from "./build-options.ts";
import { derivationAttribute, derivationList } from "./builder-environment.ts";

const PLATFORMS: Readonly<Record<string, readonly string[]>> = { x64: ["x86_64-linux", "i686-linux"], arm64: ["aarch64-linux"] };

/** Nix's setting `system-features` where nobody has set it. Nix: libstore/globals.cc, getDefaultSystemFeatures */
export function defaultSystemFeatures(): readonly string[] {
  return ["benchmark", "big-parallel", "nixos-test", ...(mayUse("/dev/kvm") ? ["kvm"] : [])];
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

/** @throws TsosError `build.wrong-platform`, `build.unknown-feature`, `build.no-sandbox-asked` */
export function checkPlatform(derivation: Derivation, options: BuildOptions): void {
  const platforms = [...(PLATFORMS[process.arch] ?? []), ...(options.extraPlatforms ?? [])];
  if (!platforms.includes(derivation.platform)) {
    throw new TsosError({
      code: "build.wrong-platform",
      message: `it is for "${derivation.platform}", this machine builds for ${platforms.map((platform) => `"${platform}"`).join(", ")}`,
      data: { platform: derivation.platform, platforms },
    });
  }
  const required = derivationList(derivation, "requiredSystemFeatures") ?? [];
  const features = required.length === 0 ? [] : (options.systemFeatures ?? defaultSystemFeatures());
  const feature = required.find((name) => !features.includes(name));
  if (feature !== undefined) {
    throw new TsosError({
      code: "build.unknown-feature",
      message: `it requires the system feature "${feature}", expected one of ${features.join(", ")}`,
      data: { feature, required, features },
    });
  }
  const unsandboxed = derivationAttribute(derivation, "__noChroot");
  if (unsandboxed === "1" || unsandboxed === true) {
    throw new TsosError({
      code: "build.no-sandbox-asked",
      message: 'it has "__noChroot" set, and tsos builds in a sandbox only',
      hint: "remove the attribute; what it needs of the machine must become an input",
    });
  }
}
