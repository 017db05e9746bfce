type Node<K, E> = { readonly key: K; readonly element: E; left: Node<K, E> | undefined; right: Node<K, E> | undefined; parent: Node<K, E> | undefined; isRed: boolean };

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
    const neighbour = parent === undefined ? undefined : goesLeft ? previous(parent) : parent;
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
    for (; at !== undefined; at = next(at)) yield [at.key, at.element];
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
      if (parent === grandparent.left) {
        if (node === parent.right) {
          this.#rotateLeft(parent);
          parent = node;
        }
        parent.isRed = false;
        grandparent.isRed = true;
        this.#rotateRight(grandparent);
      } else {
        if (node === parent.left) {
          this.#rotateRight(parent);
          parent = node;
        }
        parent.isRed = false;
        grandparent.isRed = true;
        this.#rotateLeft(grandparent);
      }
      break;
    }
    this.#root!.isRed = false;
  }

  #rotateLeft(node: Node<K, E>): void {
    const up = node.right!;
    node.right = up.left;
    if (up.left !== undefined) up.left.parent = node;
    up.left = node;
    this.#replace(node, up);
  }

  #rotateRight(node: Node<K, E>): void {
    const up = node.left!;
    node.left = up.right;
    if (up.right !== undefined) up.right.parent = node;
    up.right = node;
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

function previous<K, E>(node: Node<K, E>): Node<K, E> | undefined {
  if (node.left !== undefined) {
    let at = node.left;
    while (at.right !== undefined) at = at.right;
    return at;
  }
  let at: Node<K, E> | undefined = node;
  while (at.parent !== undefined && at === at.parent.left) at = at.parent;
  return at.parent;
}

function next<K, E>(node: Node<K, E>): Node<K, E> | undefined {
  if (node.right !== undefined) {
    let at = node.right;
    while (at.left !== undefined) at = at.left;
    return at;
  }
  let at: Node<K, E> | undefined = node;
  while (at.parent !== undefined && at === at.parent.right) at = at.parent;
  return at.parent;
}
