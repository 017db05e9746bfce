import { TsosError } from "../../error/tsos-error.ts";

/** A machine that builds. Nix: libstore/machines.cc. */
export type Machine = {
  /** `ssh-ng://host`, as the store's URL. */
  readonly url: string;
  /** `x86_64-linux`, …: what it builds for. */
  readonly systems: readonly string[];
  readonly sshKey: string | undefined;
  /** Builds at once; at least 0. */
  readonly maxJobs: number;
  /** How fast, compared with others. */
  readonly speedFactor: number;
  readonly supportedFeatures: readonly string[];
  /** It builds only what requires all of these. */
  readonly mandatoryFeatures: readonly string[];
};

/** How often a file may name a file. */
const MAX_DEPTH = 8;

/**
 * Machines, one a line or between semicolons: URL, systems, ssh key, jobs, speed factor, features, mandatory features
 * and a host key, `-` for the default; `@FILE` for the lines of a file, which may be missing.
 *
 * @throws TsosError `daemon.bad-machine`
 */
export function parseMachines(text: string, { system, readFile }: { readonly system: string; readonly readFile: (path: string) => string | undefined }, depth = 0): Machine[] {
  return text.split("\n").flatMap((line) =>
    line
      .replace(/#.*/, "")
      .split(";")
      .map((entry) => entry.trim())
      .flatMap((entry) => {
        if (entry === "") return [];
        if (!entry.startsWith("@")) return [parseMachine(entry, system)];
        if (depth >= MAX_DEPTH) throw bad(entry, "files name files too often");
        return parseMachines(readFile(entry.slice(1).trim()) ?? "", { system, readFile }, depth + 1);
      }),
  );
}

function parseMachine(line: string, system: string): Machine {
  const fields = line.split(/[ \t]+/);
  const field = (index: number): string | undefined => (fields[index] === undefined || fields[index] === "" || fields[index] === "-" ? undefined : fields[index]);
  const list = (index: number): readonly string[] => (field(index) ?? "").split(",").filter((word) => word !== "");
  const url = field(0);
  if (url === undefined) throw bad(line, "it names no store");
  const jobs = field(3) ?? "1";
  if (!/^[0-9]+$/.test(jobs)) throw bad(line, `"${jobs}" is no number of jobs`);
  const speed = Number(field(4) ?? "1");
  if (!(speed >= 0)) throw bad(line, `"${field(4)}" is no speed factor, expected a number from 0 on`);
  const systems = list(1);
  return {
    url: url.includes("://") || url.includes("/") || url === "daemon" ? url : `ssh://${url}`,
    systems: systems.length === 0 ? [system] : systems,
    sshKey: field(2),
    maxJobs: Number(jobs),
    speedFactor: speed === 0 ? 1 : speed,
    supportedFeatures: list(5),
    mandatoryFeatures: list(6),
  };
}

function bad(line: string, problem: string): TsosError {
  return new TsosError({ code: "daemon.bad-machine", message: `the machine "${line}" cannot be used: ${problem}`, hint: "write URL SYSTEMS KEY JOBS SPEED FEATURES MANDATORY-FEATURES, - for a default" });
}
