import { compareByteStrings } from "../../util/ordering.ts";
import type { ByteString } from "../../util/bytes.ts";
import { NixError } from "../nix-error.ts";
import type { NixSource } from "../nix-fetcher.ts";

/** Names of inputs from the top flake down; none for the top itself. */
export type InputPath = readonly ByteString[];

/** One flake (or tree) of a lock file, with what its inputs are: nodes of their own, or those that they follow. */
export type LockNode = {
  readonly inputs: Map<ByteString, LockNode | InputPath>;
  /** Of all but the top one. */
  readonly lock?: {
    readonly locked: NixSource;
    readonly original: NixSource;
    readonly isFlake: boolean;
    /** Whose tree a relative path is in. */
    readonly parent?: InputPath | undefined;
  };
};

export function isFollowed(input: LockNode | InputPath): input is InputPath {
  return Array.isArray(input);
}

const VERSIONS = [5, 6, 7];

/**
 * Reads a `flake.lock`. Texts are bytes, as all of the language's are.
 * @throws NixError
 */
export function parseFlakeLock(text: ByteString, file: ByteString): LockNode {
  const fail = (reason: string): NixError => new NixError("eval", `lock file '${file}' ${reason}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new NixError("eval", `while parsing the lock file '${file}': ${error instanceof Error ? error.message : String(error)}`);
  }
  const object = (value: unknown, what: string): Readonly<Record<string, unknown>> => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail(`has ${what} that is not an object`);
    return value as Readonly<Record<string, unknown>>;
  };
  const top = object(json, "contents");
  if (!VERSIONS.includes(top["version"] as number)) throw fail(`has unsupported version ${JSON.stringify(top["version"]) ?? "0"}`);
  const nodes = object(top["nodes"], "'nodes'");
  const names = (value: readonly unknown[]): InputPath => value.map(String);
  const made = new Map<string, LockNode>();
  const read = (name: string): LockNode => {
    const known = made.get(name);
    if (known !== undefined) return known;
    if (!Object.hasOwn(nodes, name)) throw fail(`references missing node '${name}'`);
    const data = object(nodes[name], `a node '${name}'`);
    const inputs = new Map<ByteString, LockNode | InputPath>();
    const isTop = name === top["root"];
    const lock = isTop
      ? undefined
      : {
          locked: sourceOf(data["locked"], data["info"]),
          original: sourceOf(data["original"]),
          isFlake: data["flake"] !== false,
          parent: Array.isArray(data["parent"]) ? names(data["parent"]) : undefined,
        };
    const node: LockNode = lock === undefined ? { inputs } : { inputs, lock };
    made.set(name, node);
    for (const [id, input] of Object.entries(object(data["inputs"] ?? {}, "'inputs'")).sort(([a], [b]) => compareByteStrings(a, b))) {
      inputs.set(id, Array.isArray(input) ? names(input) : read(String(input)));
    }
    return node;
  };
  const sourceOf = (value: unknown, more: unknown = {}): NixSource => {
    const { __final: _, ...attributes } = { ...object(more, "'info'"), ...object(value, "a source") };
    for (const [name, inner] of Object.entries(attributes)) if (!["string", "number", "boolean"].includes(typeof inner)) throw fail(`has an unsupported value for '${name}'`);
    return attributes as NixSource;
  };
  if (typeof top["root"] !== "string") throw fail("has no root");
  return read(top["root"]);
}

/** The file's bytes: names in order, two blanks, a line's end. */
export function formatFlakeLock(root: LockNode): ByteString {
  return `${JSON.stringify(flakeLockJson(root), undefined, 2)}\n`;
}

/** Nodes are called by the first input that leads to them; of several of one name the later ones have a number. */
export function flakeLockJson(root: LockNode): { readonly nodes: Readonly<Record<string, unknown>>; readonly root: string; readonly version: number } {
  const nodes: Record<string, unknown> = {};
  const taken = new Set<string>();
  const keys = new Map<LockNode, string>();
  const add = (wanted: string, node: LockNode): string => {
    const known = keys.get(node);
    if (known !== undefined) return known;
    let key = wanted;
    for (let n = 2; taken.has(key); n++) key = `${wanted}_${n}`;
    taken.add(key);
    keys.set(node, key);
    const inputs = sorted([...node.inputs].sort(([a], [b]) => compareByteStrings(a, b)).map(([id, input]): [string, unknown] => [id, isFollowed(input) ? [...input] : add(id, input)]));
    nodes[key] = sorted(
      Object.entries({
        ...(node.inputs.size === 0 ? {} : { inputs }),
        ...(node.lock === undefined
          ? {}
          : {
              locked: sorted(Object.entries(node.lock.locked)),
              original: sorted(Object.entries(node.lock.original)),
              ...(node.lock.isFlake ? {} : { flake: false }),
              ...(node.lock.parent === undefined ? {} : { parent: [...node.lock.parent] }),
            }),
      }),
    );
    return key;
  };
  const name = add("root", root);
  return { nodes: sorted(Object.entries(nodes)), root: name, version: 7 };
}

function sorted(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries([...entries].sort(([a], [b]) => compareByteStrings(a, b)));
}

/** The node that a path of inputs leads to; undefined where there is none. @throws NixError for a circle */
export function findNode(root: LockNode, path: InputPath): LockNode | undefined {
  const visiting: string[] = [];
  const find = (at: InputPath): LockNode | undefined => {
    const key = at.join("/");
    if (visiting.includes(key)) throw new NixError("eval", `follow cycle detected: [${[...visiting, key].join(" -> ")}]`);
    visiting.push(key);
    let node: LockNode | undefined = root;
    for (const name of at) {
      const input: LockNode | InputPath | undefined = node?.inputs.get(name);
      if (input === undefined) return undefined;
      node = isFollowed(input) ? find(input) : input;
    }
    visiting.pop();
    return node;
  };
  return find(path);
}

/** @throws NixError for an input that follows what is not there */
export function checkFlakeLock(root: LockNode): void {
  const seen = new Set<LockNode>();
  const check = (node: LockNode, path: InputPath): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const [id, input] of node.inputs) {
      if (!isFollowed(input)) check(input, [...path, id]);
      else if (input.length > 0 && findNode(root, input) === undefined) {
        throw new NixError("eval", `input '${[...path, id].join("/")}' follows a non-existent input '${input.join("/")}'`);
      }
    }
  };
  check(root, []);
}
