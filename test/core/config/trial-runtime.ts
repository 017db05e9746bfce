// A runtime without options and packages, for tests of what carries it.
import "../../../cli/runtime/prelude.ts";
import { createStart } from "../../../cli/runtime/isolate-main.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { hashByteString, hashToBase16 } from "../../../core/hash/hash.ts";

const api = {
  defineSystem: (system: unknown) => system,
  TsosError,
  notPure: Object.freeze({}),
  hashToBase16,
  hashByteString,
};

const FOLDER_EXPORTS = ["path", "readFile", "readFolder", "source", "parsed"];

export const start = Object.assign(
  createStart({
    api,
    open: (host) => ({
      modules: new Map(),
      inFolder: (folder) => ({
        path: (name: string) => host.hashPath(folder, name),
        readFile: (name: string) => host.readFile(folder, name),
        readFolder: (name: string) => host.readFolder(folder, name),
        source: host.source,
        parsed: host.parsed,
      }),
      evaluate: (definition, request) => {
        const value = typeof definition === "function" ? (definition as (request: unknown) => unknown)(request) : definition;
        return { result: { kind: "option", option: { path: "", value } }, instantiation: { derivations: [], sources: [] }, warnings: [], inputs: [] };
      },
    }),
  }),
  { exports: [...Object.keys(api), ...FOLDER_EXPORTS], folderExports: FOLDER_EXPORTS },
);
