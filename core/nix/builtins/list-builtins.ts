import type { ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { Builtin, NO_POSITION, textOf, type NixList, type Slot, type Value } from "../value.ts";
import { peekSort } from "../peek-sort.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";

/** Elements of an array of the machine. */
const MAXIMUM_LENGTH = 100_000_000;

export function listBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const anyOrAll = (name: "any" | "all"): BuiltinDefinition => [name, 2, ([f, l]) => {
    const fn = e.forceFunction(f!, NO_POSITION, `while evaluating the first argument passed to builtins.${name}`);
    const list = e.forceList(l!, NO_POSITION, `while evaluating the second argument passed to builtins.${name}`);
    for (const element of list) {
      if (e.forceBool(e.call1(fn, element, NO_POSITION), NO_POSITION, `while evaluating the return value of the function passed to builtins.${name}`) === (name === "any")) return name === "any";
    }
    return name === "all";
  }];
  return [
    ["length", 1, ([l]) => e.forceList(l!, NO_POSITION, "while evaluating the first argument passed to builtins.length").length],
    ["head", 1, ([l]) => {
      const list = e.forceList(l!, NO_POSITION, "while evaluating the first argument passed to 'builtins.head'");
      if (list.length === 0) throw e.error("eval", "'builtins.head' called on an empty list");
      return e.force(list[0]!);
    }],
    ["tail", 1, ([l]) => {
      const list = e.forceList(l!, NO_POSITION, "while evaluating the first argument passed to 'builtins.tail'");
      if (list.length === 0) throw e.error("eval", "'builtins.tail' called on an empty list");
      return list.slice(1);
    }],
    ["elemAt", 2, ([l, n]) => {
      const index = e.forceInteger(n!, NO_POSITION, "while evaluating the second argument passed to 'builtins.elemAt'");
      const list = e.forceList(l!, NO_POSITION, "while evaluating the first argument passed to 'builtins.elemAt'");
      if (index < 0 || index >= list.length) throw e.error("eval", `'builtins.elemAt' called with index ${index} on a list of size ${list.length}`);
      return e.force(list[Number(index)]!);
    }],
    ["elem", 2, ([x, l]) => {
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.elem");
      return list.some((element) => e.equal(x!, element, NO_POSITION, "while searching for the presence of the given element in the list"));
    }],
    ["map", 2, ([f, l]) => {
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.map");
      if (list.length === 0) return list;
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.map");
      return e.lazyCalls(fn, list);
    }],
    ["filter", 2, ([f, l]) => {
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.filter");
      if (list.length === 0) return list;
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.filter");
      return list.filter((element) => e.forceBool(e.call1(fn, element, NO_POSITION), NO_POSITION, "while evaluating the return value of the filtering function passed to builtins.filter"));
    }],
    ["partition", 2, ([f, l]) => {
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.partition");
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.partition");
      const right: NixList = [];
      const wrong: NixList = [];
      for (const element of list) {
        e.force(element);
        (e.forceBool(e.call1(fn, element, NO_POSITION), NO_POSITION, "while evaluating the return value of the partition function passed to builtins.partition") ? right : wrong).push(element);
      }
      return e.makeSet([["right", right], ["wrong", wrong]]);
    }],
    ["groupBy", 2, ([f, l]) => {
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.groupBy");
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.groupBy");
      const groups = new Map<ByteString, NixList>();
      for (const element of list) {
        const name = e.forceStringNoContext(e.call1(fn, element, NO_POSITION), NO_POSITION, "while evaluating the return value of the grouping function passed to builtins.groupBy");
        const group = groups.get(name);
        if (group === undefined) groups.set(name, [element]);
        else group.push(element);
      }
      return e.makeSet(groups);
    }],
    ["concatLists", 1, ([l]) => {
      const list = e.forceList(l!, NO_POSITION, "while evaluating the first argument passed to builtins.concatLists");
      return concat(list.map((element) => e.forceList(element, NO_POSITION, "while evaluating a value of the list passed to builtins.concatLists")));
    }],
    ["concatMap", 2, ([f, l]) => {
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.concatMap");
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.concatMap");
      return concat(list.map((element) => e.forceList(e.call1(fn, element, NO_POSITION), e.ownPlace(fn), "while evaluating the return value of the function passed to builtins.concatMap")));
    }],
    ["foldl'", 3, ([f, start, l]) => {
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.foldlStrict");
      const list = e.forceList(l!, NO_POSITION, "while evaluating the third argument passed to builtins.foldlStrict");
      // The start is evaluated only when it is used.
      if (list.length === 0) return e.force(start!);
      let result: Slot = start!;
      for (const element of list) result = e.call2(fn, result, element, NO_POSITION);
      return e.force(result);
    }],
    anyOrAll("any"), anyOrAll("all"),
    ["genList", 2, ([f, n]) => {
      const length = e.forceInteger(n!, NO_POSITION, "while evaluating the second argument passed to builtins.genList");
      if (length < 0) throw e.error("eval", `cannot create list of size ${length}`);
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.genList");
      if (length > MAXIMUM_LENGTH) throw e.error("eval", "out of memory");
      return e.lazyCalls(fn, Array.from({ length: Number(length) }, (_, index) => index));
    }],
    ["sort", 2, ([f, l]) => {
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.sort");
      if (list.length === 0) return list;
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.sort");
      const before = fn instanceof Builtin && fn.name === "lessThan"
        ? (a: Slot, b: Slot): boolean => e.lessThan(e.force(a), e.force(b), "while evaluating the ordering function passed to builtins.sort")
        : (a: Slot, b: Slot): boolean => e.forceBool(e.call2(fn, a, b, NO_POSITION), NO_POSITION, "while evaluating the return value of the sorting function passed to builtins.sort");
      for (const element of list) e.force(element);
      return peekSort(list, before);
    }],
    ["concatStringsSep", 2, ([s, l]) => {
      const context = new Set<ByteString>();
      const separator = e.forceString(s!, NO_POSITION, "while evaluating the first argument (the separator string) passed to builtins.concatStringsSep");
      if (typeof separator !== "string") for (const element of separator.context) context.add(element);
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument (the list of strings to concat) passed to builtins.concatStringsSep");
      const text = list.map((element) => e.coerceToString(element, NO_POSITION, context, "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep", false, true)).join(textOf(separator));
      return e.makeString(text, context);
    }],
  ];
}

function concat(lists: readonly NixList[]): Value {
  return lists.length === 1 ? lists[0]! : ([] as Slot[]).concat(...lists);
}
