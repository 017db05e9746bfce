import type { ByteString } from "../util/bytes.ts";

/** An absolute path without `.`, `..`, empty pieces or a slash at its end; `..` at the root stays there. */
export function canonicalPath(path: ByteString): ByteString {
  // Most paths are so already.
  if (path.length > 1 && path.startsWith("/") && !path.endsWith("/") && !path.includes("//") && !path.includes("/.")) return path;
  const pieces: string[] = [];
  for (const piece of path.split("/")) {
    if (piece === "" || piece === ".") continue;
    if (piece === "..") pieces.pop();
    else pieces.push(piece);
  }
  return `/${pieces.join("/")}`;
}
