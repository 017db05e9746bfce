import type { InputTree } from "../option/declared-input.ts";
import type { Input, InputOptions } from "./input.ts";
import type { NixFile } from "./nix-file.ts";
import type { ProjectFiles } from "./project-files.ts";

/** What an input gives when it is read. */
export type InputParts = Pick<Input, "path" | "readFile" | "module"> & {
  readonly outPath: () => string;
  readonly tree: () => InputTree;
  readonly readFolder: (path: string) => ReturnType<ProjectFiles["readFolder"]>;
  readonly nix: (path: string) => unknown;
  readonly nixFile: (path: string) => NixFile;
};

export function createInput(name: string, options: InputOptions, parts: InputParts): Input {
  const text = (attribute: string): string | undefined => {
    const value = parts.tree().attributes[attribute];
    return typeof value === "string" ? value : undefined;
  };
  return Object.freeze({
    kind: "input",
    name,
    options,
    get outPath() {
      return parts.outPath();
    },
    get narHash() {
      return parts.tree().narHash;
    },
    get rev() {
      return text("rev");
    },
    get shortRev() {
      return text("rev")?.slice(0, 7);
    },
    get lastModified() {
      const value = parts.tree().attributes["lastModified"];
      return typeof value === "number" ? value : undefined;
    },
    path: parts.path,
    readFile: parts.readFile,
    readFolder: (path: string = ".") => parts.readFolder(path),
    module: parts.module,
    nix: <T>(path: string = "") => parts.nix(path.replace(/^(\.?\/)+/, "")) as T,
    nixFile: (path: string) => parts.nixFile(path.replace(/^(\.?\/)+/, "")),
    toString: parts.outPath,
    toJSON: parts.outPath,
  });
}

export function isInput(value: unknown): value is Input {
  return typeof value === "object" && value !== null && (value as Partial<Input>).kind === "input";
}
