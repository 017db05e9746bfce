import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runTsos, type TsosResult } from "../cli/tsos-process.ts";
import { NIXPKGS_OF_DOCS } from "./nixpkgs-of-docs.ts";

export type DocsProject = Disposable & {
  readonly folder: string;
  run(...args: readonly string[]): Promise<TsosResult>;
  /** Files of the project; the input of the pages is the tree beside it. */
  write(files: Readonly<Record<string, string>>): void;
};

/** The source that the pages name, as the tests have it. */
export function withLocalTree(text: string): string {
  return text.replace(/github\("NixOS\/nixpkgs", "nixos-26\.05", \{/, '({ kind: "input-spec", source: "path:../nixpkgs", options: {').replace(/(overlays: \[[\s\S]*?\n {6}\],\n {4}\})\)/, "$1 } as const)").replace(/github\("NixOS\/nixpkgs", "nixos-26\.05"\)/, '"path:../nixpkgs"').replace("defineInputs, defineShell, github", "defineInputs, defineShell").replace(/, github(?=[, ])/, "");
}

/** A project beside the tree of the documentation's examples, with a state of its own. */
export function openDocsProject(): DocsProject {
  const root = mkdtempSync(join(tmpdir(), "tsos-docs-"));
  const folder = join(root, "project");
  const write = (base: string, files: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(base, name)), { recursive: true });
      writeFileSync(join(base, name), text);
    }
  };
  write(join(root, "nixpkgs"), NIXPKGS_OF_DOCS);
  mkdirSync(folder);
  return {
    folder,
    run: (...args) => runTsos([...args, ...(args[0] === "nix" ? [] : ["--store", join(root, "store")])], { cwd: folder, stateFolder: join(root, "state"), env: { HOME: root, NIX_PATH: "" } }),
    write: (files) => write(folder, files),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}
