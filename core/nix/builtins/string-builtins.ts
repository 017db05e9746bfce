import { convertHashFormat } from "../convert-hash.ts";
import { compareVersions, parseDrvName, splitVersion } from "../version.ts";
import { toJson } from "../json.ts";
import { fromJson } from "../parse-json.ts";
import { fromToml } from "../toml.ts";
import { compilePattern, type Pattern, type PatternGroups } from "../pattern.ts";
import { RegexTooLong } from "../regex/regex-machine.ts";
import type { RegexRefusal } from "../regex/regex-syntax.ts";
import { toXml } from "../xml.ts";
import type { ByteString } from "../../util/bytes.ts";
import { hashToBase16 } from "../../hash/hash.ts";
import { formatIdentifier } from "../format-literal.ts";
import { isStorePathBaseName } from "../../store-path/store-path.ts";
import type { Evaluator } from "../evaluator.ts";
import { NixError } from "../nix-error.ts";
import { contextOf, displayContext, NixString, NO_POSITION, textOf, type Slot, type Value } from "../value.ts";
import { parseAlgorithm } from "../hash-text.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";

export function stringBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const patterns = new Map<ByteString, Pattern | RegexRefusal>();
  /** Runs a builtin's work with the pattern of its first argument, compiled once. */
  const withPattern = <T>(slot: Slot, name: string, pos: number, run: (pattern: Pattern) => T): T => {
    const text = e.forceStringNoContext(slot, pos, `while evaluating the first argument passed to builtins.${name}`);
    let compiled = patterns.get(text);
    if (compiled === undefined) patterns.set(text, (compiled = compilePattern(text)));
    if (compiled === "memory") throw e.error("eval", `memory limit exceeded by regular expression '${text}'`, pos);
    if (compiled === "invalid") throw e.error("eval", `invalid regular expression '${text}'`, pos);
    try {
      return run(compiled);
    } catch (error) {
      if (error instanceof RegexTooLong) throw e.error("eval", `the regular expression '${text}' takes too long`, pos);
      throw error;
    }
  };
  const groupValues = (groups: PatternGroups): Value[] => groups.map((group) => group ?? null);
  const contextSet = (context: ReadonlySet<ByteString>): Value => {
    const byPath = new Map<ByteString, { path: boolean; allOutputs: boolean; outputs: ByteString[] }>();
    const entry = (path: ByteString) => {
      const full = `${e.io.storeDir}/${path}`;
      let found = byPath.get(full);
      if (found === undefined) byPath.set(full, (found = { path: false, allOutputs: false, outputs: [] }));
      return found;
    };
    for (const element of context) {
      const nested = /^![^!]*!([^!]*)!([^!]*)$/.exec(element);
      if (nested !== null) throw e.error("eval", `cannot operate on output '${nested[1]!}' of the unbuilt derivation '${e.io.storeDir}/${nested[2]!}'`);
      const output = /^!(.*)!([^!]*)$/.exec(element);
      if (element.startsWith("=")) entry(element.slice(1)).allOutputs = true;
      else if (output !== null) entry(output[2]!).outputs.push(output[1]!);
      else entry(element).path = true;
    }
    return e.makeSet([...byPath].map(([path, info]): [ByteString, Slot] => {
      const fields: [ByteString, Slot][] = [];
      if (info.path) fields.push(["path", true]);
      if (info.allOutputs) fields.push(["allOutputs", true]);
      if (info.outputs.length > 0) fields.push(["outputs", info.outputs.sort()]);
      return [path, e.makeSet(fields)];
    }));
  };
  return [
    ["toString", 1, ([v]) => {
      const context = new Set<ByteString>();
      const text = e.coerceToString(v!, NO_POSITION, context, "while evaluating the first argument passed to builtins.toString", true, false);
      return e.makeString(text, context);
    }],
    ["stringLength", 1, ([v]) => e.coerceToString(v!, NO_POSITION, new Set(), "while evaluating the argument passed to builtins.stringLength", false, true).length],
    ["substring", 3, ([s, n, v]) => {
      const start = Number(e.forceInteger(s!, NO_POSITION, "while evaluating the first argument (the start offset) passed to builtins.substring"));
      if (start < 0) throw e.error("eval", "negative start position in 'substring'");
      const length = Number(e.forceInteger(n!, NO_POSITION, "while evaluating the second argument (the substring length) passed to builtins.substring"));
      const context = new Set<ByteString>();
      const text = e.coerceToString(v!, NO_POSITION, context, "while evaluating the third argument (the string) passed to builtins.substring", false, true);
      return e.makeString(length < 0 ? text.slice(start) : text.slice(start, start + length), context);
    }],
    ["replaceStrings", 3, ([f, t, s]) => {
      const from = e.forceList(f!, NO_POSITION, "while evaluating the first argument passed to builtins.replaceStrings");
      const to = e.forceList(t!, NO_POSITION, "while evaluating the second argument passed to builtins.replaceStrings");
      if (from.length !== to.length) throw e.error("eval", "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths");
      const wanted = from.map((text) => textOf(e.forceString(text, NO_POSITION, "while evaluating one of the strings to replace passed to builtins.replaceStrings")));
      const subject = e.forceString(s!, NO_POSITION, "while evaluating the third argument passed to builtins.replaceStrings");
      const text = textOf(subject);
      const context = new Set<ByteString>(contextOf(subject));
      const cache = new Map<number, ByteString>();
      const replacement = (index: number): ByteString => {
        let known = cache.get(index);
        if (known === undefined) {
          const value = e.forceString(to[index]!, NO_POSITION, "while evaluating one of the replacement strings passed to builtins.replaceStrings");
          for (const element of contextOf(value)) context.add(element);
          known = textOf(value);
          cache.set(index, known);
        }
        return known;
      };
      let result = "";
      let copied = 0;
      for (let at = 0; at <= text.length; ) {
        const index = wanted.findIndex((candidate) => text.startsWith(candidate, at));
        if (index < 0) {
          at++;
          continue;
        }
        const length = wanted[index]!.length;
        result += text.slice(copied, at) + replacement(index);
        // An empty one is found before each character and at the end.
        if (length === 0 && at < text.length) result += text[at]!;
        at += Math.max(length, 1);
        copied = at;
      }
      return e.makeString(result + text.slice(copied), context);
    }],
    ["match", 2, ([p, s], pos) => withPattern(p!, "match", pos, (pattern) => {
      const groups = pattern.match(textOf(e.forceString(s!, pos, "while evaluating the second argument passed to builtins.match")));
      return groups === undefined ? null : groupValues(groups);
    })],
    ["split", 2, ([p, s], pos) => withPattern(p!, "split", pos, (pattern) => {
      const subject = e.forceString(s!, pos, "while evaluating the second argument passed to builtins.split");
      const pieces = pattern.split(textOf(subject));
      // Pieces have no context; what is not split is the string itself.
      return pieces.length === 1 ? [subject] : pieces.map((piece) => (typeof piece === "string" ? piece : groupValues(piece)));
    })],
    ["hashString", 2, ([a, s]) => {
      const algorithm = parseAlgorithm(e.forceStringNoContext(a!, NO_POSITION, "while evaluating the first argument passed to builtins.hashString"), e.settings);
      return hashToBase16(algorithm, textOf(e.forceString(s!, NO_POSITION, "while evaluating the second argument passed to builtins.hashString")));
    }],
    ["convertHash", 1, ([s]) => convertHashFormat(e, s!)],
    ["compareVersions", 2, ([a, b]) => compareVersions(
      e.forceStringNoContext(a!, NO_POSITION, "while evaluating the first argument passed to builtins.compareVersions"),
      e.forceStringNoContext(b!, NO_POSITION, "while evaluating the second argument passed to builtins.compareVersions"),
    )],
    ["splitVersion", 1, ([v]) => splitVersion(e.forceStringNoContext(v!, NO_POSITION, "while evaluating the first argument passed to builtins.splitVersion"))],
    ["parseDrvName", 1, ([v]) => {
      const { name, version } = parseDrvName(e.forceStringNoContext(v!, NO_POSITION, "while evaluating the first argument passed to builtins.parseDrvName"));
      return e.makeSet([["name", name], ["version", version]]);
    }],
    ["toJSON", 1, ([v]) => {
      const context = new Set<ByteString>();
      return e.makeString(toJson(e, v!, context, true), context);
    }],
    ["fromJSON", 1, ([s]) => {
      const text = e.forceStringNoContext(s!, NO_POSITION, "while evaluating the first argument passed to builtins.fromJSON");
      try {
        return fromJson(e, text);
      } catch (error) {
        throw error instanceof NixError && error.kind === "parse" ? e.trace(error, "while decoding a JSON string") : error;
      }
    }],
    ["fromTOML", 1, ([s]) => fromToml(e, e.forceStringNoContext(s!, NO_POSITION, "while evaluating the argument passed to builtins.fromTOML"))],
    ["toXML", 1, ([v]) => {
      const context = new Set<ByteString>();
      return e.makeString(toXml(e, v!, context), context);
    }],
    ["hasContext", 1, ([s]) => contextOf(e.forceString(s!, NO_POSITION, "while evaluating the argument passed to builtins.hasContext")).size > 0],
    ["getContext", 1, ([s]) => contextSet(contextOf(e.forceString(s!, NO_POSITION, "while evaluating the argument passed to builtins.getContext")))],
    ["unsafeDiscardStringContext", 1, ([s]) => e.coerceToString(s!, NO_POSITION, new Set(), "while evaluating the argument passed to builtins.unsafeDiscardStringContext", false, true)],
    ["unsafeDiscardOutputDependency", 1, ([s]) => {
      const context = new Set<ByteString>();
      const text = e.coerceToString(s!, NO_POSITION, context, "while evaluating the argument passed to builtins.unsafeDiscardOutputDependency", false, true);
      return e.makeString(text, new Set([...context].map((element) => (element.startsWith("=") ? element.slice(1) : element))));
    }],
    ["addDrvOutputDependencies", 1, ([s]) => {
      const context = new Set<ByteString>();
      const text = e.coerceToString(s!, NO_POSITION, context, "while evaluating the argument passed to builtins.addDrvOutputDependencies", false, true);
      if (context.size !== 1) throw e.error("eval", `context of string '${text}' must have exactly one element, but has ${context.size}`);
      const [element] = context;
      if (element!.startsWith("=")) return new NixString(text, context);
      if (element!.startsWith("!")) throw e.error("eval", `\`addDrvOutputDependencies\` can only act on derivations, not on a derivation output such as '${displayContext(element!, e.io.storeDir).split("^")[1]!}'`);
      if (!element!.endsWith(".drv")) throw e.error("eval", `path '${e.io.storeDir}/${element}' is not a derivation`);
      return new NixString(text, new Set([`=${element}`]));
    }],
    ["appendContext", 2, ([s, c]) => {
      const subject = e.forceString(s!, NO_POSITION, "while evaluating the first argument passed to builtins.appendContext");
      const context = new Set<ByteString>(contextOf(subject));
      const added = e.forceAttrs(c!, NO_POSITION, "while evaluating the second argument passed to builtins.appendContext");
      for (const index of e.symbolOrder(added.shape)) {
        const name = added.shape.names[index]!;
        const place = e.placeOf(added.places, index);
        const shown = formatIdentifier(name);
        const path = name.startsWith(`${e.io.storeDir}/`) ? name.slice(e.io.storeDir.length + 1) : "";
        if (!isStorePathBaseName(path)) throw e.error("eval", `context key '${shown}' is not a store path`, place);
        e.io.ensureValid(path);
        const info = e.forceAttrs(added.at(index), place, "while evaluating the value of a string context");
        const flag = (field: string): boolean => {
          const slot = info.shape.slotOf(field);
          return slot >= 0 && e.forceBool(info.at(slot), e.placeOf(info.places, slot), `while evaluating the \`${field}\` attribute of a string context`);
        };
        if (flag("path")) context.add(path);
        if (flag("allOutputs")) {
          if (!path.endsWith(".drv")) throw e.error("eval", `tried to add all-outputs context of ${shown}, which is not a derivation, to a string`, place);
          context.add(`=${path}`);
        }
        const outputs = info.shape.slotOf("outputs");
        if (outputs >= 0) {
          const at = e.placeOf(info.places, outputs);
          const list = e.forceList(info.at(outputs), at, "while evaluating the `outputs` attribute of a string context");
          if (list.length > 0 && !path.endsWith(".drv")) throw e.error("eval", `tried to add derivation output context of ${shown}, which is not a derivation, to a string`, place);
          for (const output of list) context.add(`!${e.forceStringNoContext(output, at, "while evaluating an output name within a string context")}!${path}`);
        }
      }
      return e.makeString(textOf(subject), context);
    }],
  ];
}
