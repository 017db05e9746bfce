import { TsosError } from "../error/tsos-error.ts";
import { NO_POSITION, type Slot, type Value } from "../nix/value.ts";
import { toByteString } from "../util/bytes.ts";
import { readOnly, type Border } from "./border.ts";

/** Outputs that a package of any kind may have. */
const LATE_OUTPUTS: ReadonlySet<string> = new Set(["out", "bin", "dev", "lib", "man", "doc"]);

/** A view of something that is being evaluated right now, or fails: evaluated when it is used. */
export function createPendingView(border: Border, slot: Slot): object {
  const { evaluator: e } = border;
  const real = (): object => {
    const value = border.toTypeScript(slot);
    if ((typeof value === "object" && value !== null) || typeof value === "function") return value;
    throw new TsosError({ code: "nix.late-value", message: `a ${value === null ? "null" : typeof value} that depends on this function's own result cannot be looked at here`, hint: "only sets and lists can be passed on before they are known" });
  };
  const view: object = new Proxy(Object.create(null) as object, {
    get: (_, key) => {
      if (key === "then") return undefined;
      return border.unlessRecursive(
        () => Reflect.get(real(), key) as unknown,
        (error) => {
          // Of a package that is not known yet these can be told beforehand: they give packages.
          const select = (): Value => e.call(e.force(e.load(toByteString(`x: x.${String(key)}`), toByteString("«configuration»"), "/")), [slot], NO_POSITION);
          if (typeof key === "string" && LATE_OUTPUTS.has(key)) return createPendingView(border, e.lazy(select));
          if (key === "override" || key === "overrideAttrs") return (change: unknown): unknown => createPendingView(border, e.lazy(() => e.call(select(), [border.lazily(change)], NO_POSITION)));
          throw new TsosError({
            code: "nix.late-value",
            message: `infinite recursion: ${typeof key === "symbol" || key === "toString" ? "a text is made of" : `"${key}" is looked up in`} a value that is being evaluated right now`,
            hint: "compute it when it is asked for, as in an overlay: { get name() { return … } }",
            related: error.related,
            data: { trace: error.data["trace"] },
          });
        },
      );
    },
    has: (_, key) => Reflect.has(real(), key),
    ownKeys: () => Reflect.ownKeys(real()).filter((key) => key !== "length"),
    getOwnPropertyDescriptor: (_, key) => {
      const found = Reflect.getOwnPropertyDescriptor(real(), key);
      return found === undefined ? undefined : { ...found, configurable: true };
    },
    getPrototypeOf: () => null,
    ...readOnly("a value"),
  });
  border.origins.set(view, slot);
  return view;
}
