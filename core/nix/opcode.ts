/**
 * What the first word of a node says. A node is a run of words in the flat tree; `pos` is a byte offset in the file (-1: none),
 * a child is given relative to its parent's first word, so that a tree can be moved; names and texts are indices of strings.
 */
export const Op = {
  /** value */
  int: 0,
  /** string: its decimal text, for what does not fit into a word */
  bigInt: 1,
  /** string: its shortest decimal text */
  float: 2,
  /** string */
  string: 3,
  /** string */
  path: 4,
  /** pos, slot: of the innermost environment */
  variable0: 5,
  /** pos, slot: of the next one */
  variable1: 6,
  /** pos, level, slot */
  variable: 7,
  /** pos, name */
  global: 8,
  /** pos, name, n, n × (level of a `with`, seen shape, its slot or -1) */
  withVariable: 9,
  /** pos, of, default or 0, n, n × (name, seen shape, its slot | -1, child, text of the child) */
  select: 10,
  /** pos, of, n, n × as in `select` */
  has: 11,
  /** pos, flags, seen shape, n, n from, n dynamic, n × binding, from × child, dynamic × (pos, name, value) */
  attributes: 12,
  /** as `attributes`, the first word of the shape unused, then body at the fourth */
  let: 13,
  /** pos, n, n × child */
  list: 14,
  /** pos, name or -1, argument or -1, n formals or -1, ellipsis, body, seen shape, its plan, n × (name, pos, default or 0) */
  lambda: 15,
  /** pos, function, n, n × child */
  call: 16,
  /** pos, attributes, body */
  with: 17,
  /** pos, condition, then, else */
  if: 18,
  /** pos, condition, body, text of the condition */
  assert: 19,
  /** pos, of */
  not: 20,
  /** pos, left, right */
  equal: 21, notEqual: 22, and: 23, or: 24, implies: 25, update: 26, concatLists: 27, lessThan: 28, subtract: 29, multiply: 30, divide: 31,
  /** pos, force string, n, n × (pos, child) */
  concatStrings: 32,
  /** pos */
  currentPosition: 33,
} as const;

/** Words of a binding in `attributes` and `let`: name, pos, kind, child. */
export const BINDING_SIZE = 4;
/** Where the bindings of `attributes` and `let` start. */
export const BINDINGS = 7;
/** Where the formals of a `lambda` start, and the words of each. */
export const FORMALS = 9;
export const FORMAL_SIZE = 3;

export const RECURSIVE = 1;
/** Kinds of binding: where its expression is evaluated. */
export const BOUND_HERE = 0;
export const BOUND_OUTSIDE = 1;
export const BOUND_FROM = 2;
