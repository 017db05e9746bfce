import { readdir, readFile } from "node:fs/promises";

/** What of the machine the settings are read from. */
export type SettingsMachine = {
  /** The text of a file, or undefined where there is none. */
  readFile(path: string): Promise<string | undefined>;
  /** The names in a folder; none where there is no folder. */
  listFolder(path: string): Promise<readonly string[]>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The path of the running Node, beside which its npm lies. */
  readonly execPath: string;
};

/** The machine that this process runs on. */
export function hostSettingsMachine(): SettingsMachine {
  return {
    readFile: (path) => readFile(path, "utf8").catch(() => undefined),
    listFolder: (path) => readdir(path).catch(() => []),
    env: process.env,
    execPath: process.execPath,
  };
}
