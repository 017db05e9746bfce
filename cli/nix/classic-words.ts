import type { TsosError } from "../../core/error/tsos-error.ts";
import { indentMessage } from "./build-words.ts";

/** What an error is called by the classic commands; scripts look for these words. Undefined where ours are as good. */
export function classicWords({ code, data, message }: TsosError): string | undefined {
  const text = (name: string): string => String(data[name]);
  switch (code) {
    case "build.failed":
    case "build.bad-attribute":
    case "build.bad-reference-graph":
      return data["isClassic"] === true ? indentMessage(message) : undefined;
    case "store-path.too-short":
      return `'${text("path").slice(text("path").lastIndexOf("/") + 1)}' is too short to be a valid store path`;
    case "store-path.not-in-store":
    case "cli.not-a-store-path":
      return `path "${text("path")}" is not in the Nix store`;
    case "hash.wrong-length":
      return `hash '${text("text")}' has wrong length for hash algorithm '${text("algorithm")}'`;
    case "nix-settings.syntax":
      return `syntax error in configuration line '${text("line")}' in "${text("file")}"`;
    default:
      return undefined;
  }
}
