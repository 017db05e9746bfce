import type { EvaluationSettings } from "../../core/interop/evaluation-protocol.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import { toByteString, type ByteString } from "../../core/util/bytes.ts";
import { ClassicUsageError, type OwnArgument } from "./classic-arguments.ts";
import type { FlakeFlags } from "../../core/interop/flake-flags.ts";

export type FlakeArguments = {
  /** Takes a flag that is about flakes; false where it is none. */
  readonly take: OwnArgument;
  /** Whether a lock file is written into the flake. */
  readonly writeLock: () => boolean;
  readonly flags: (settings: NixConfiguration) => FlakeFlags;
  /** The settings of the evaluation, with what the flags say of registries. */
  readonly settings: (known: EvaluationSettings) => EvaluationSettings;
};

/** The flags of `nix` for flakes and their lock files. Nix: libcmd/installables.cc, libcmd/common-eval-args.cc */
export function createFlakeArguments(warn: (text: string) => void): FlakeArguments {
  let writeLock = true;
  let mayUpdate = true;
  let commits = false;
  let ignoreLock = false;
  let usesRegistries = true;
  let referenceLock: ByteString | undefined;
  let outputLock: ByteString | undefined;
  const overrides: (readonly [ByteString, ByteString])[] = [];
  const updates: ByteString[] = [];
  const pairs: (readonly [ByteString, ByteString])[] = [];
  const inputsFrom: ByteString[] = [];
  const inputPath = (text: string, flag: string): ByteString => {
    const names = text.split("/").filter((name) => name !== "");
    if (names.length === 0) throw new ClassicUsageError(`${flag} was passed a zero-length input path, which would refer to the flake itself, not an input`);
    return toByteString(names.join("/"));
  };
  return {
    take: (argument, value) => {
      switch (argument) {
        case "--no-write-lock-file":
          writeLock = false;
          return true;
        case "--commit-lock-file":
          commits = true;
          return true;
        case "--no-update-lock-file":
          mayUpdate = false;
          return true;
        case "--recreate-lock-file":
          warn("'--recreate-lock-file' is deprecated and will be removed in a future version; use 'nix flake update' instead.");
          ignoreLock = true;
          return true;
        case "--no-registries":
          warn("'--no-registries' is deprecated; use '--no-use-registries'");
          usesRegistries = false;
          return true;
        case "--update-input":
          warn("'--update-input' is a deprecated alias for 'flake update' and will be removed in a future version.");
          updates.push(inputPath(value(), argument));
          return true;
        case "--override-input": {
          writeLock = false;
          const path = inputPath(value(), argument);
          overrides.push([path, toByteString(value())]);
          return true;
        }
        case "--reference-lock-file":
          referenceLock = toByteString(value());
          return true;
        case "--output-lock-file":
          outputLock = toByteString(value());
          return true;
        case "--inputs-from":
          inputsFrom.push(toByteString(value()));
          return true;
        case "--override-flake": {
          const from = toByteString(value());
          pairs.push([from, toByteString(value())]);
          return true;
        }
        default:
          return false;
      }
    },
    writeLock: () => writeLock,
    flags: (settings) => ({
      ...{ overrides, updates, ignoreLock, mayUpdate, referenceLock, outputLock },
      ...(commits ? { commit: toByteString(settings.find("commit-lock-file-summary") ?? "") } : {}),
    }),
    settings: (known) => ({
      ...known,
      ...(usesRegistries ? {} : { registries: undefined }),
      ...(pairs.length === 0 && inputsFrom.length === 0 ? {} : { registryOverrides: { pairs, inputsFrom } }),
    }),
  };
}
