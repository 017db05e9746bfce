/** What every option type reads as and may be defined as; `tsc` is the test. */
import { option, types } from "tsos";
import type { Definable, Module, ModuleInput, OptionType, Package, Secret } from "tsos";
import type { DefinitionOf, ValueOf } from "../../../core/option/option-type.ts";
import type { InlineCode } from "../../../core/option/types/inline.ts";
import type { JsonDefinition, JsonValue } from "../../../core/option/types/json.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function reads<Value>() {
  return <T extends OptionType>(_type: T, _same: Same<ValueOf<T>, Value>): void => {};
}
function takes<Definition>() {
  return <T extends OptionType>(_type: T, _same: Same<DefinitionOf<T>, Definition>): void => {};
}
function both<V>() {
  return <T extends OptionType>(_type: T, _value: Same<ValueOf<T>, V>, _definition: Same<DefinitionOf<T>, V>): void => {};
}

both<boolean>()(types.bool, true, true);
both<boolean>()(types.boolByOr, true, true);
both<number>()(types.int, true, true);
both<number>()(types.ints.between(1, 2), true, true);
both<number>()(types.ints.positive, true, true);
both<number>()(types.ints.unsigned, true, true);
both<number>()(types.ints.u8, true, true);
both<number>()(types.ints.u16, true, true);
both<number>()(types.ints.u32, true, true);
both<number>()(types.ints.s8, true, true);
both<number>()(types.ints.s16, true, true);
both<number>()(types.ints.s32, true, true);
both<number>()(types.float, true, true);
both<number>()(types.number, true, true);
both<number>()(types.numbers.between(0, 1), true, true);
both<number>()(types.port, true, true);
both<string>()(types.str, true, true);
both<string>()(types.singleLineStr, true, true);
both<string>()(types.nonEmptyStr, true, true);
both<string>()(types.strMatching(/a+/), true, true);
both<string>()(types.separatedString(":"), true, true);
both<string>()(types.lines, true, true);
both<string>()(types.commas, true, true);
reads<string>()(types.path, true);
takes<string | Package>()(types.path, true);
reads<string>()(types.pathInStore, true);
takes<string | Package>()(types.pathInStore, true);
both<Package>()(types.package, true, true);
both<Package>()(types.shellPackage, true, true);
both<"a" | "b" | 3>()(types.enum(["a", "b", 3]), true, true);
both<unknown>()(types.anything, true, true);
both<unknown>()(types.raw, true, true);
both<unknown>()(types.unspecified, true, true);
reads<readonly number[]>()(types.listOf(types.port), true);
takes<readonly Definable<number>[]>()(types.listOf(types.port), true);
reads<readonly [string, ...string[]]>()(types.nonEmptyListOf(types.str), true);
reads<{ readonly [name: string]: string }>()(types.attrsOf(types.path), true);
takes<{ readonly [name: string]: Definable<string | Package> | undefined }>()(types.attrsOf(types.path), true);
reads<{ readonly [name: string]: boolean }>()(types.lazyAttrsOf(types.bool), true);
reads<{ readonly file: string } | { readonly text: string }>()(types.attrTag({ file: option(types.path), text: option(types.str) }), true);
both<number | null>()(types.nullOr(types.int), true, true);
both<string>()(types.uniq(types.str), true, true);
both<string>()(types.unique({ message: "…" }, types.str), true, true);
both<number | string>()(types.either(types.int, types.str), true, true);
both<number | string | boolean>()(types.oneOf([types.int, types.str, types.bool]), true, true);
reads<number>()(types.coercedTo(types.str, Number, types.int), true);
takes<number | string>()(types.coercedTo(types.str, Number, types.int), true);
reads<{ readonly port: number }>()(types.submodule({ options: { port: option(types.port) } }), true);
({ port: 80 }) satisfies DefinitionOf<ReturnType<typeof submodule>>;
(() => ({ port: 80 })) satisfies DefinitionOf<ReturnType<typeof submodule>>;
const submodule = () => types.submodule({ options: { port: option(types.port) } });
reads<{ readonly port: number }>()(types.submoduleWith({ modules: [], options: { port: option(types.port) } }), true);
reads<Module>()(types.deferredModule, true);
takes<ModuleInput | Readonly<Record<string, unknown>>>()(types.deferredModule, true);
reads<(argument: number) => string>()(types.functionTo(types.str, types.argument<number>()), true);
both<OptionType>()(types.optionType, true, true);
reads<JsonValue>()(types.json, true);
takes<JsonDefinition>()(types.json, true);
both<InlineCode<"lua">>()(types.luaInline, true, true);
both<InlineCode<"js">>()(types.inline("js"), true, true);
both<Secret>()(types.secret, true, true);
