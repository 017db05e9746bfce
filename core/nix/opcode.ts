/**
 * What the first word of a node says. A node is a run of words in the flat tree; `pos` is a byte offset in the file (-1: none),
 * a child is given relative to its parent's first word, so that a tree can be moved; names and texts are indices of strings.
 *
 * Constants of a module, taken as `import * as Op`: the bundler puts the numbers where they are used, and the engine makes
 * one jump of a `switch` over them before it has optimised anything.
 */
/** value */
export const int = 0;
/** string: its decimal text, for what does not fit into a word */
export const bigInt = 1;
/** string: its shortest decimal text */
export const float = 2;
/** string */
export const string = 3;
/** string */
export const path = 4;
/** pos, slot: among those of the innermost environment */
export const variable0 = 5;
/** pos, slot: of the next one */
export const variable1 = 6;
/** pos, level, slot */
export const variable = 7;
/** pos, name */
export const global = 8;
/** pos, name, n, n × (level of a `with`, seen shape, its slot or -1) */
export const withVariable = 9;
/** pos, of, default or 0, n, n × (name, seen shape, its slot | -1, child, text of the child) */
export const select = 10;
/** pos, of, n, n × as in `select` */
export const has = 11;
/** pos, flags, seen shape, n, n from, n dynamic, n × binding, from × child, dynamic × (pos, name, value) */
export const attributes = 12;
/** as `attributes`, the first word of the shape unused, then body at the fourth */
const letIn = 13;
/** pos, n, n × child */
export const list = 14;
/** pos, name or -1, argument or -1, n formals or -1, ellipsis, body, seen shape, its plan, n × (name, pos, default or 0) */
export const lambda = 15;
/** pos, function, n, n × child */
export const call = 16;
/** pos, attributes, body */
const withSet = 17;
/** pos, condition, then, else */
const ifThenElse = 18;
/** pos, condition, body, text of the condition */
export const assert = 19;
/** pos, of */
export const not = 20;
/** pos, left, right */
export const equal = 21;
export const notEqual = 22;
export const and = 23;
export const or = 24;
export const implies = 25;
export const update = 26;
export const concatLists = 27;
export const lessThan = 28;
export const subtract = 29;
export const multiply = 30;
export const divide = 31;
/** pos, force string, n, n × (pos, child) */
export const concatStrings = 32;
/** pos */
export const currentPosition = 33;
/** pos: what a function is called with, in the innermost environment */
export const argument0 = 34;
/** pos: in the next one */
export const argument1 = 35;
/** pos, level */
export const argument = 36;
export { letIn as let, withSet as with, ifThenElse as if };

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
