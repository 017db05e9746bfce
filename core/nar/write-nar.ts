import { byteStringToBytes } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { unreachable } from "../util/unreachable.ts";
import { NAR_BLOCKS } from "./nar-block.ts";
import type { NarNode } from "./nar-node.ts";
import { encodeNarToken } from "./nar-token.ts";

/** The archive of a tree in memory, in pieces. `dumpPath` is for trees on disk. */
export function* writeNar(node: NarNode): Generator<Uint8Array> {
  yield NAR_BLOCKS.start;
  yield* writeNode(node);
}

function* writeNode(node: NarNode): Generator<Uint8Array> {
  switch (node.kind) {
    case "regular":
      yield node.executable ? NAR_BLOCKS.executable : NAR_BLOCKS.regular;
      yield encodeNarToken(node.contents);
      break;
    case "symlink":
      yield NAR_BLOCKS.symlink;
      yield encodeNarToken(byteStringToBytes(node.target));
      break;
    case "directory":
      yield NAR_BLOCKS.directory;
      for (const [name, child] of [...node.entries].sort((a, b) => compareByteStrings(a[0], b[0]))) {
        yield NAR_BLOCKS.entry;
        yield encodeNarToken(byteStringToBytes(name));
        yield NAR_BLOCKS.node;
        yield* writeNode(child);
        yield NAR_BLOCKS.close;
      }
      break;
    default:
      unreachable(node);
  }
  yield NAR_BLOCKS.close;
}
