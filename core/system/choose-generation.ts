import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { listSystemGenerations } from "./activate/system-profile.ts";
import type { SwitchTarget } from "./switch-target.ts";

/** A toplevel, and its generation where it has one. */
export type Chosen = { readonly toplevel: string; readonly number: number | undefined };

/** What of a profile's generations a switch goes to. @throws TsosError `switch.no-generation` */
export function chooseGeneration(profile: string, target: SwitchTarget): Chosen {
  if (target.kind === "toplevel") return { toplevel: target.toplevel, number: undefined };
  const generations = listSystemGenerations(profile);
  const current = generations.find((one) => one.isCurrent);
  if (target.kind === "current" && current !== undefined) return { toplevel: current.toplevel, number: current.number };
  const wanted = target.kind === "generation" ? generations.find((one) => one.number === target.number) : generations.filter((one) => current !== undefined && one.number < current.number).at(-1);
  if (wanted !== undefined) return { toplevel: wanted.toplevel, number: wanted.number };
  const there = generations.map((one) => one.number).join(", ");
  throw new TsosError({
    code: "switch.no-generation",
    message:
      target.kind === "generation"
        ? `there is no generation "${target.number}"`
        : current === undefined
          ? target.kind === "current" ? "there is no generation yet" : "there is no generation to go back to"
          : `there is no generation before "${current.number}" to go back to`,
    hint: there === "" ? "it was never switched by tsos" : `there are the generations ${there}`,
  });
}

/** The variant of that name, by its logical path. @throws TsosError `switch.no-specialisation` */
export function findSpecialisation(toplevel: string, name: string, realPath: (path: string) => string): string {
  const folder = join(realPath(toplevel), "specialisation");
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  // Not a path that leads elsewhere: one of the names that are there.
  if (names.includes(name)) return readlinkSync(join(folder, name));
  throw new TsosError({
    code: "switch.no-specialisation",
    message: `the generation has no specialisation "${name}"`,
    hint: names.length === 0 ? "declare it in the configuration, as specialisation.NAME.configuration, and switch to that first" : `it has ${names.join(", ")}`,
    data: { toplevel, names },
  });
}
