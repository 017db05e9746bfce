import { realpathSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { runTsos, type TsosResult } from "../cli/tsos-process.ts";
import { makeFolder } from "../core/config/trial.ts";
import { EditorServer } from "./editor-server.ts";

/** A project's folder with an editor's server and the command line beside it, for the length of a test file. */
export function openEditorProject() {
  const folder = makeFolder();
  const server = new EditorServer();
  after(() => {
    server[Symbol.dispose]();
    folder[Symbol.dispose]();
  });
  const project = join(realpathSync(folder.path), "project");
  return {
    folder,
    server,
    project,
    file: join(project, "system.config.ts"),
    tsos: (...args: string[]): Promise<TsosResult> => runTsos(args, { cwd: project, stateFolder: join(folder.path, "state") }),
  };
}
