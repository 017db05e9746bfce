import { isDerivationPath, storePathName, type StorePath } from "../../core/store-path/store-path.ts";
import { compareByteStrings } from "../../core/util/ordering.ts";
import type { ValidPathInfo } from "../../core/store/path-info.ts";
import type { StoreCall } from "./store-call.ts";

const COLOURS = ["black", "red", "green", "blue", "magenta", "burlywood"];

/** `nix-store --query --graph`: for `dot`. Nix: nix-store/dotgraph.cc */
export async function printDotGraph(call: StoreCall, roots: Iterable<StorePath>): Promise<void> {
  let edges = 0;
  call.print("digraph G {");
  await walk(call, roots, (info) => {
    call.print(`"${info.path}" [label = "${storePathName(info.path)}", shape = box, style = filled, fillcolor = "#ff0000"];`);
    for (const reference of others(info)) call.print(`"${reference}" -> "${info.path}" [color = "${COLOURS[edges++ % COLOURS.length]!}"];`);
  });
  call.print("}");
}

/** `nix-store --query --graphml`. Nix: nix-store/graphml.cc */
export async function printGraphMl(call: StoreCall, roots: Iterable<StorePath>): Promise<void> {
  const keys = [["narSize", "long"], ["name", "string"], ["type", "string"]].map(([name, type]) => `<key id='${name!}' for='node' attr.name='${name!}' attr.type='${type!}'/>`);
  call.print(
    `<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns='http://graphml.graphdrawing.org/xmlns'
    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'
    xsi:schemaLocation='http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd'>
${keys.join("")}<graph id='G' edgedefault='directed'>`,
  );
  await walk(call, roots, (info) => {
    const name = storePathName(info.path);
    // As far as the first dash; nothing where there is none.
    const symbolic = name.slice(0, name.indexOf("-") + 1);
    call.print(`  <node id="${info.path}">
    <data key="narSize">${info.narSize}</data>
    <data key="name">${symbolic}</data>
    <data key="type">${isDerivationPath(info.path) ? "derivation" : "output-path"}</data>
  </node>`);
    for (const reference of others(info)) call.print(`  <edge source="${info.path}" target="${reference}"/>`);
  });
  call.print("</graph>\n</graphml>");
}

function others({ path, references }: ValidPathInfo): StorePath[] {
  return references.filter((reference) => reference !== path).sort(compareByteStrings);
}

/** Every path that is reached, the least of those that wait first. */
async function walk({ store }: StoreCall, roots: Iterable<StorePath>, visit: (info: ValidPathInfo) => void): Promise<void> {
  const waiting = new Set(roots);
  const done = new Set<StorePath>();
  while (waiting.size > 0) {
    const [path] = [...waiting].sort(compareByteStrings);
    waiting.delete(path!);
    done.add(path!);
    const info = await store.getPathInfo(path!);
    visit(info);
    for (const reference of info.references) if (!done.has(reference)) waiting.add(reference);
  }
}
