import type { StorePath } from "../../store-path/store-path.ts";
import { splitStorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { NixError } from "../nix-error.ts";
import type { NixFetcher, NixSource } from "../nix-fetcher.ts";
import { Attrs, Builtin, Closure, NO_POSITION, type Slot, type Thunk, type Value } from "../value.ts";
import { findNode, isFollowed, type LockNode } from "./flake-lock.ts";
import { lockFlake, type LockedFlake, type LockOptions } from "./lock-flake.ts";
import { treeAttributes } from "./tree-attributes.ts";

/** What `getFlake` gives: a flake's outputs, with its inputs, its source and itself. */
export function evaluateFlake(e: Evaluator, fetcher: NixFetcher, ref: NixSource, options: LockOptions): Value {
  return callFlake(e, fetcher, lockFlake(e, fetcher, ref, options));
}

type Called = { readonly result: Thunk; readonly source: () => Attrs; readonly outPath: () => ByteString; readonly context: () => StorePath };

/**
 * Calls a locked flake's outputs with those of its inputs. An input is fetched when something of it is looked at.
 * Semantics of Nix's `call-flake.nix`.
 */
export function callFlake(e: Evaluator, fetcher: NixFetcher, { flake, storePath, lock, text, present }: LockedFlake): Value {
  // With another lock file than its tree has, it is not what its revision says.
  const isChanged = text !== present && !(present === undefined && lock.inputs.size === 0);
  const nodes = new Map<LockNode, Called>();
  const follow = (input: LockNode | readonly ByteString[]): LockNode => {
    if (!isFollowed(input)) return input;
    const found = findNode(lock, input);
    if (found === undefined) throw new NixError("eval", `there is no input '${input.join("/")}'`);
    return found;
  };
  const open = (node: LockNode): Called => {
    let called = nodes.get(node);
    if (called === undefined) nodes.set(node, (called = make(node)));
    return called;
  };
  const make = (node: LockNode): Called => {
    const locked = node.lock?.locked ?? flake.locked;
    const { dir, ...source } = locked;
    const isRelative = node.lock !== undefined && source["type"] === "path" && !String(source["path"]).startsWith("/");
    const parent = (): Called => open(node.lock?.parent === undefined ? lock : follow(node.lock.parent));
    let attributes: Attrs | undefined;
    const getSource = (): Attrs => {
      if (attributes !== undefined) return attributes;
      if (node.lock === undefined) attributes = treeAttributes(e, storePath, source, { isChanged });
      else if (isRelative) attributes = parent().source();
      else {
        const fetched = fetcher.fetch(source, true);
        attributes = treeAttributes(e, fetched.path, fetched.source);
      }
      return attributes;
    };
    const treePath = (): ByteString => String(e.coerceToString(getSource().get("outPath")!, NO_POSITION, new Set(), "", false, false));
    const outPath = (): ByteString => {
      // As it stands there, `./` and all.
      const base = !isRelative ? treePath() : source["path"] === "" ? parent().outPath() : `${parent().outPath()}/${String(source["path"])}`;
      return typeof dir === "string" && dir !== "" ? `${base}/${dir}` : base;
    };
    const context = (): StorePath => splitStorePath(treePath(), e.io.storeDir).path;
    const pathValue = (suffix = ""): Value => e.makeString(`${outPath()}${suffix}`, new Set([context()]));
    const inputs = e.lazy(() => e.makeSet([...node.inputs].map(([id, input]) => [id, e.lazy(() => e.force(open(follow(input)).result))])));
    if (node.lock !== undefined && !node.lock.isFlake) {
      const result = e.lazy(() => e.mergeSets(getSource(), e.makeSet([["sourceInfo", getSource()], ["outPath", e.lazy(() => pathValue())]])));
      return { result, source: getSource, outPath, context };
    }
    const getFlake = (): Attrs => e.forceAttrs(e.call(e.force(e.globals.get("import")!), [pathValue("/flake.nix")], NO_POSITION), NO_POSITION, "while evaluating a flake");
    const outputs: Thunk = e.lazy(() => {
      const fn = getFlake().get("outputs");
      if (fn === undefined) throw new NixError("eval", "attribute 'outputs' missing");
      const args = e.mergeSets(e.forceAttrs(inputs, NO_POSITION, ""), e.makeSet([["self", result]]));
      return e.call(e.force(fn), [args], NO_POSITION);
    });
    const result: Thunk = e.lazy(() => {
      const fn = e.force(getFlake().get("outputs") ?? null);
      if (!(fn instanceof Closure || fn instanceof Builtin)) throw new NixError("assertion", "assertion 'builtins.isFunction flake.outputs' failed");
      const own: readonly (readonly [ByteString, Slot])[] = [["_type", "flake"], ["inputs", inputs], ["outPath", e.lazy(() => pathValue())], ["outputs", outputs], ["sourceInfo", e.lazy(getSource)]];
      return e.mergeSets(e.mergeSets(e.forceAttrs(outputs, NO_POSITION, "while evaluating the outputs of a flake"), getSource()), e.makeSet(own));
    });
    return { result, source: getSource, outPath, context };
  };
  return e.force(open(lock).result);
}
