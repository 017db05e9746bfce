import { deleteGenerations } from "../../core/store/profile.ts";
import { compareGenerations, describeDifference, type GenerationContents } from "../../core/system/generation-difference.ts";
import { listSystem, systemProfileOf, type GenerationSummary } from "../../core/system/switch.ts";
import { readGeneration } from "../../core/system/read-generation.ts";
import { listHome } from "../../core/system/switch-home.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { unreachable } from "../../core/util/unreachable.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { formatTable } from "../output/table.ts";
import { deleteOlderThan } from "../generations.ts";
import { meansHome, ownHome } from "../home.ts";
import { parseTimeSpan } from "../parse-amount.ts";
import { deleteOfProfile, findProfile, listProfile, rollBack } from "../profiles.ts";
import { UsageError } from "../usage-error.ts";

export type GenerationsArguments = { readonly action: "list" | "diff" | "delete" | "rollback"; readonly arguments: readonly string[]; readonly home: boolean; readonly olderThan?: string; readonly profile?: string };

/** Whose generations are meant. */
type Subject = { readonly profile: string; readonly summaries: readonly GenerationSummary[] };

/** The generations of this machine, of the one whose root is `--root`, or of this user's home. */
export async function generations(context: CommandContext, args: GenerationsArguments): Promise<number> {
  const store = await context.openStore();
  if (args.profile !== undefined) return ofProfile(context, store, findProfile(context, store, args.profile), args);
  const realPath = (path: string): string => store.realPath(path);
  const home = meansHome(context, args.home) ? ownHome(context) : undefined;
  const subject: Subject = home === undefined ? { profile: systemProfileOf(context.flags.root), summaries: listSystem(context.flags.root, realPath) } : { profile: home.profile, summaries: listHome(home, realPath) };
  switch (args.action) {
    case "list":
      return list(context, subject);
    case "diff":
      return diff(context, store, subject, args);
    case "delete":
      return remove(context, store, subject, args);
    case "rollback":
      throw new UsageError({ code: "cli.no-profile", message: "rollback is for a profile", hint: "name it with --profile; tsos switch --rollback is for the machine" });
    default:
      return unreachable(args.action);
  }
}

async function ofProfile(context: CommandContext, store: LocalStore, profile: string, args: GenerationsArguments): Promise<number> {
  switch (args.action) {
    case "list":
      return listProfile(context, store, profile);
    case "delete":
      return deleteOfProfile(context, store, { profile, numbers: args.arguments.map(parseGeneration), olderThan: args.olderThan });
    case "rollback":
      return rollBack(context, store, profile);
    case "diff":
      throw new UsageError({ code: "cli.no-profile", message: "diff is for generations of the machine", hint: "tsos store diff A B compares any two paths" });
    default:
      return unreachable(args.action);
  }
}

function list(context: CommandContext, { summaries: all }: Subject): number {
  if (context.flags.json) context.print(JSON.stringify({ version: 1, generations: all }));
  else if (all.length === 0) context.say("there is no generation yet; tsos switch makes the first");
  else {
    const rows = all.map((one) => [String(one.number), one.created.toISOString().slice(0, 19).replace("T", " "), [one.isCurrent ? "current" : "", one.isRunning ? "running" : ""].filter((word) => word !== "").join(", "), one.tsosVersion, one.label, one.toplevel]);
    context.print(formatTable(["generation", "date (UTC)", "", "tsos", "label", "toplevel"], rows));
  }
  return ExitCode.done;
}

/** What changed between two generations; with one, between it and the current one. */
async function diff(context: CommandContext, store: LocalStore, { summaries: all }: Subject, args: GenerationsArguments): Promise<number> {
  const current = all.find((one) => one.isCurrent);
  const numbers = args.arguments.map((text) => parseGeneration(text));
  const [before, after] = numbers.length === 0 ? [all.at(-2)?.number, current?.number] : numbers.length === 1 ? [numbers[0], current?.number] : numbers;
  const contents = async (number: number | undefined): Promise<GenerationContents> => {
    const found = all.find((one) => one.number === number);
    if (found === undefined) throw unknownGeneration(number, all);
    const closure = await store.closure([parseStorePath(found.toplevel, store.storeDir)]);
    return { ...readGeneration(found.toplevel, (path) => store.realPath(path)), closure: [...closure] };
  };
  const difference = compareGenerations(await contents(before), await contents(after), (path) => store.realPath(path));
  if (context.flags.json) context.print(JSON.stringify({ version: 1, before, after, difference }));
  else {
    const lines = describeDifference(difference);
    context.print(lines.length === 0 ? `generations ${before} and ${after} are the same` : lines.join("\n"));
  }
  return ExitCode.done;
}

async function remove(context: CommandContext, store: LocalStore, { profile, summaries }: Subject, args: GenerationsArguments): Promise<number> {
  const running = summaries.find((one) => one.isRunning)?.toplevel;
  const numbers = args.arguments.map(parseGeneration);
  const used = summaries.find((one) => one.isRunning && numbers.includes(one.number));
  if (args.olderThan === undefined && used !== undefined) {
    throw new TsosError({ code: "cli.generation-runs", message: `generation "${used.number}" is what runs now`, hint: "switch to another one first" });
  }
  const removed =
    args.olderThan === undefined
      ? await deleteGenerations(store, profile, numbers)
      : await deleteOlderThan(store, profile, new Date(Date.now() - parseTimeSpan(args.olderThan)), running);
  if (context.flags.json) context.print(JSON.stringify({ version: 1, deleted: removed.map((one) => one.number) }));
  else context.say(removed.length === 0 ? "nothing to delete" : `deleted ${removed.map((one) => one.number).join(", ")}; tsos gc frees what only they needed`);
  return ExitCode.done;
}

function parseGeneration(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError({ code: "cli.bad-generation", message: `"${text}" is not a generation's number`, hint: "tsos generations lists them" });
}

function unknownGeneration(number: number | undefined, all: readonly GenerationSummary[]): TsosError {
  return new TsosError({
    code: "switch.no-generation",
    message: number === undefined ? "there are no two generations to compare" : `there is no generation "${number}"`,
    hint: all.length === 0 ? "it was never switched by tsos" : `there are the generations ${all.map((one) => one.number).join(", ")}`,
  });
}
