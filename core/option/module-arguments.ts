import { findNode } from "./option-node.ts";
import type { OptionNode } from "./option-node.ts";

/** What reads the option `_module.args`. */
type ArgumentsSource = {
  readonly root: OptionNode;
  read(node: OptionNode): unknown;
};

/**
 * What a module's function takes its parameter apart from: names are looked up when they are asked for, so that an
 * argument that modules define is a read like any other.
 *
 * @param own what there is whatever modules define
 * @param around the arguments of the evaluation around: what is not found here is looked for there
 */
export function createModuleArguments(own: Readonly<Record<string, unknown>>, source: ArgumentsSource, around: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> {
  const argsNode = findNode(source.root, ["_module", "args"]);
  return new Proxy(own, {
    get: (target, key): unknown => {
      if (typeof key === "symbol") return undefined;
      if (Object.hasOwn(target, key)) return target[key];
      if (argsNode !== undefined) {
        // The type of the option is lazyAttrsOf.
        const args = source.read(argsNode) as Readonly<Record<string, unknown>>;
        if (Object.hasOwn(args, key)) return args[key];
      }
      return around?.[key];
    },
    preventExtensions: () => false,
    set: (_target, key) => {
      throw new TypeError(`Cannot assign to read only property '${String(key)}'`);
    },
  });
}
