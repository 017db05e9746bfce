type Node<K, E> = { readonly key: K; readonly element: E; left: Node<K, E> | undefined; right: Node<K, E> | undefined; parent: Node<K, E> | undefined; isRed: boolean };

type Side = "left" | "right";

/**
 * A red-black tree that compares in the order of libstdc++'s `std::map`: which keys meet decides whether keys that
 * cannot be compared are found out, and which of them the message names.
 *
 * Source: libstdc++ bits/stl_tree.h (`_M_get_insert_unique_pos`, `_Rb_tree_insert_and_rebalance`)
 */
export class OrderedKeys<K, E> {
  #root: Node<K, E> | undefined;
  readonly #before: (a: K, b: K) => boolean;

  constructor(before: (a: K, b: K) => boolean) {
    this.#before = before;
  }

  /** False where an equal key is there. What `before` throws goes on, and nothing is inserted. */
  insert(key: K, element: E): boolean {
    let parent: Node<K, E> | undefined;
    let goesLeft = true;
    for (let at = this.#root; at !== undefined; at = goesLeft ? at.left : at.right) {
      parent = at;
      goesLeft = this.#before(key, at.key);
    }
    const neighbour = parent === undefined ? undefined : goesLeft ? neighbourOf(parent, "left") : parent;
    if (neighbour !== undefined && !this.#before(neighbour.key, key)) return false;
    const node: Node<K, E> = { key, element, left: undefined, right: undefined, parent, isRed: true };
    if (parent === undefined) this.#root = node;
    else if (goesLeft) parent.left = node;
    else parent.right = node;
    this.#rebalance(node);
    return true;
  }

  /** In the order of the keys. */
  *entries(): Iterable<readonly [K, E]> {
    let at = this.#root;
    while (at?.left !== undefined) at = at.left;
    for (; at !== undefined; at = neighbourOf(at, "right")) yield [at.key, at.element];
  }

  #rebalance(inserted: Node<K, E>): void {
    let node = inserted;
    for (let parent = node.parent; parent?.isRed === true; parent = node.parent) {
      const grandparent = parent.parent!;
      const uncle = parent === grandparent.left ? grandparent.right : grandparent.left;
      if (uncle?.isRed === true) {
        parent.isRed = false;
        uncle.isRed = false;
        grandparent.isRed = true;
        node = grandparent;
        continue;
      }
      const side: Side = parent === grandparent.left ? "left" : "right";
      if (node === parent[opposite(side)]) {
        this.#rotate(parent, side);
        parent = node;
      }
      parent.isRed = false;
      grandparent.isRed = true;
      this.#rotate(grandparent, opposite(side));
      break;
    }
    this.#root!.isRed = false;
  }

  /** The node goes down to `side`, and its child of the other side up. */
  #rotate(node: Node<K, E>, side: Side): void {
    const other = opposite(side);
    const up = node[other]!;
    node[other] = up[side];
    if (up[side] !== undefined) up[side].parent = node;
    up[side] = node;
    this.#replace(node, up);
  }

  #replace(node: Node<K, E>, up: Node<K, E>): void {
    up.parent = node.parent;
    if (node.parent === undefined) this.#root = up;
    else if (node.parent.left === node) node.parent.left = up;
    else node.parent.right = up;
    node.parent = up;
  }
}

function opposite(side: Side): Side {
  return side === "left" ? "right" : "left";
}

/** The node before (left) or after (right) in the order of the keys. */
function neighbourOf<K, E>(node: Node<K, E>, side: Side): Node<K, E> | undefined {
  const other = opposite(side);
  let below = node[side];
  if (below !== undefined) {
    while (below[other] !== undefined) below = below[other];
    return below;
  }
  let at: Node<K, E> | undefined = node;
  while (at.parent !== undefined && at === at.parent[side]) at = at.parent;
  return at.parent;
}
