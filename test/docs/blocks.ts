import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** A piece of code of a page of the documentation, below its heading. */
export type Block = { readonly language: string; readonly text: string; readonly heading: string; readonly line: number };

/** All code of a page, in its order. @param page its name in `docs` */
export function readBlocks(page: string): readonly Block[] {
  const lines = readFileSync(resolve(import.meta.dirname, "../../docs", page), "utf8").split("\n");
  const blocks: Block[] = [];
  let heading = "";
  for (let i = 0; i < lines.length; i++) {
    heading = /^#+ (.*)/.exec(lines[i]!)?.[1] ?? heading;
    const open = /^```(\w+)$/.exec(lines[i]!);
    if (open === null) continue;
    const end = lines.indexOf("```", i + 1);
    blocks.push({ language: open[1]!, text: `${lines.slice(i + 1, end).join("\n")}\n`, heading, line: i + 1 });
    i = end;
  }
  return blocks;
}
