import type { TsosError } from "../error/tsos-error.ts";
import type { Input } from "./input.ts";

export type NixDefinitionRules = {
  /** The function that takes the definition. */
  readonly caller: string;
  readonly names: readonly string[];
  /** Which of them are inputs, with a line that declares one. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly refuse: (message: string, hint?: string) => TsosError;
};

/**
 * What a definition of modules of the Nix language must be: an object with no other names, whose inputs are inputs, and
 * whose `modules` are a list of what may be one.
 *
 * @throws what `refuse` makes of a message and a hint
 */
export function checkNixDefinition(given: unknown, { caller, names, inputs, refuse }: NixDefinitionRules): void {
  if (typeof given !== "object" || given === null) throw refuse(`${caller} takes an object, got ${given === null ? "null" : typeof given}`);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const quoted = names.map((one) => `"${one}"`);
    throw refuse(`${caller} does not take "${name}"; expected ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)!}`, "definitions of options go into a module");
  }
  const values = given as Readonly<Record<string, unknown>>;
  for (const [name, example] of Object.entries(inputs)) {
    if ((values[name] as Partial<Input> | undefined)?.kind !== "input") throw refuse(`"${name}" must be an input`, example);
  }
  const modules = values["modules"];
  if (!Array.isArray(modules)) throw refuse('"modules" must be a list');
  for (const [index, module] of (modules as readonly unknown[]).entries()) {
    if ((typeof module === "object" && module !== null && !Array.isArray(module)) || typeof module === "function") continue;
    throw refuse(`modules[${index}] is ${typeof module === "string" ? `the string "${module}"` : Array.isArray(module) ? "a list" : module === null ? "null" : typeof module}, expected a module`, 'a file in the Nix language is nixFile("./name.nix") or inputs.NAME.nixFile("path/name.nix")');
  }
}
