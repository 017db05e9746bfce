import { TsosError } from "../error/tsos-error.ts";
import type { Assertion } from "./base-options.ts";
import type { DefinitionSite } from "./definition.ts";
import { childSite, dischargeDefinitions, innerDefinition } from "./merge-definitions.ts";
import { siteData } from "./option-errors.ts";
import type { OptionsView, OptionView } from "./options-view.ts";

/**
 * What must hold and does not, as one error that lists all.
 * @param options the tree that they are of: then each has the place of its definition
 * @returns `option.assertion-failed`
 */
export function findFailedAssertions(assertions: readonly Assertion[], options?: OptionsView): TsosError | undefined {
  const failed = assertions.filter(({ assertion }) => !assertion).map(({ message }) => message);
  if (failed.length === 0) return undefined;
  const view = options?.["assertions"] as OptionView | undefined;
  return new TsosError({
    code: "option.assertion-failed",
    message:
      failed.length === 1
        ? `an assertion failed: ${failed[0]}`
        : `${failed.length} assertions failed:${failed.map((message) => `\n- ${message}`).join("")}`,
    data: { failed, ...(view === undefined ? {} : { sites: failed.map((message) => sitesOf(message, view).map(siteData)) }) },
  });
}

function sitesOf(message: string, view: OptionView): readonly DefinitionSite[] {
  return view.placedDefinitions.flatMap((definition) => {
    const { value } = definition;
    if (!Array.isArray(value)) return [];
    return value.flatMap((item: unknown, index) => {
      const [one] = dischargeDefinitions([innerDefinition(definition, `[${index}]`, item)]);
      const assertion = one?.value as Partial<Assertion> | null | undefined;
      return assertion?.assertion === false && assertion.message === message ? [childSite(definition.site, `[${index}]`)] : [];
    });
  });
}
