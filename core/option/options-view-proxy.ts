import type { OptionNode } from "./option-node.ts";
import type { OptionsView, OptionView } from "./options-view.ts";

/** The declared options as an object of objects; each is made when it is looked at. */
export function createOptionsView(evaluation: { view(node: OptionNode): OptionView }, node: OptionNode): OptionsView {
  const made = new Map<string, OptionsView | OptionView>();
  const find = (name: string | symbol): OptionsView | OptionView | undefined => {
    const child = typeof name === "string" ? node.children?.get(name) : undefined;
    if (child === undefined || typeof name !== "string") return undefined;
    let view = made.get(name);
    if (view === undefined) {
      view = child.declarations === undefined ? createOptionsView(evaluation, child) : evaluation.view(child);
      made.set(name, view);
    }
    return view;
  };
  return new Proxy<OptionsView>({}, {
    get: (_target, name) => find(name),
    has: (_target, name) => find(name) !== undefined,
    ownKeys: () => [...(node.children?.keys() ?? [])],
    getOwnPropertyDescriptor: (_target, name) => {
      const value = find(name);
      return value === undefined ? undefined : { configurable: true, enumerable: true, value };
    },
    set: (_target, name) => {
      throw new TypeError(`Cannot assign to read only property '${String(name)}' of options`);
    },
  });
}
