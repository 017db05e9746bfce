import type { ByteString } from "../util/bytes.ts";
import { autoCall, type AutoArguments } from "./auto-call.ts";
import type { Evaluator } from "./evaluator.ts";
import { formatIdentifier } from "./format-literal.ts";
import { Attrs, NO_POSITION, type Slot, type StoredSlot, type Value } from "./value.ts";

const COMPONENT = /^[A-Za-z_][A-Za-z0-9\-_+]*$/;

/**
 * The derivations that a value is or holds, in order: sets are looked into once, deeper ones where they say
 * `recurseForDerivations`, lists at any depth. Nix: libexpr/get-drvs.cc
 */
export function findDerivations(e: Evaluator, slot: Slot, args: AutoArguments): readonly Attrs[] {
  const found: Attrs[] = [];
  const done = new Set<readonly StoredSlot[]>();
  /** Whether to look for derivations inside. */
  const visit = (value: Value): boolean => {
    if (!(value instanceof Attrs) || !e.isDerivation(value)) return true;
    if (done.has(value.stored)) return false;
    done.add(value.stored);
    const name = value.get("name");
    if (name === undefined) throw e.error("type", "derivation name missing");
    e.forceStringNoContext(name, NO_POSITION, "while evaluating the 'name' attribute of a derivation");
    found.push(value);
    return false;
  };
  const search = (outer: Slot): void =>
    e.nested(NO_POSITION, () => {
      const value = autoCall(e, args, outer);
      if (!visit(value)) return;
      if (value instanceof Attrs) {
        const combine = value.get("_combineChannels") !== undefined;
        value.shape.names.forEach((name, index) => {
          if (!COMPONENT.test(name)) return;
          try {
            const inner = value.at(index);
            if (combine) search(inner);
            else {
              const forced = e.force(inner);
              if (!visit(forced) || !(forced instanceof Attrs)) return;
              const recurse = forced.shape.slotOf("recurseForDerivations");
              if (recurse >= 0 && e.forceBool(forced.at(recurse), e.placeOf(forced.places, recurse), "while evaluating the attribute `recurseForDerivations`")) search(inner);
            }
          } catch (error) {
            throw e.trace(error, `while evaluating the attribute '${formatIdentifier(name)}'`, e.placeOf(value.places, index));
          }
        });
      } else if (Array.isArray(value)) {
        for (const element of value) if (visit(e.force(element))) search(element);
      } else throw e.error("type", "expression does not evaluate to a derivation (or a set or list of those)");
    });
  search(slot);
  return found;
}

/** Path of the `.drv` and the output that a derivation's set stands for. */
export function describeDerivation(e: Evaluator, set: Attrs): { readonly drvPath: ByteString; readonly outputName: ByteString } {
  const at = set.shape.slotOf("drvPath");
  if (at < 0) throw e.error("eval", "derivation does not contain a 'drvPath' attribute");
  const context = new Set<ByteString>();
  const drvPath = e.coerceToString(set.at(at), e.placeOf(set.places, at), context, "while evaluating the 'drvPath' attribute of a derivation", false, false);
  const name = set.get("outputName");
  const outputName = name === undefined ? "" : e.forceStringNoContext(name, NO_POSITION, "while evaluating the output name of a derivation");
  if (outputName === "") throw e.error("eval", `derivation '${drvPath}' lacks an 'outputName' attribute`);
  return { drvPath, outputName };
}
