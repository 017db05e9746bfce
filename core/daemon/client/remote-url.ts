import { TsosError } from "../../error/tsos-error.ts";

/** Where another store is, and how to get there. */
export type RemoteUrl =
  | { readonly kind: "unix"; readonly path: string }
  | {
      /** `ssh-ng`: the daemon protocol; `ssh`: the older one. */
      readonly kind: "ssh-ng" | "ssh";
      /** `[USER@]HOST` */
      readonly host: string;
      readonly port: string | undefined;
      readonly key: string | undefined;
      /** What is run there; default `nix-daemon` or `nix-store`. */
      readonly program: readonly string[] | undefined;
      /** Which store that program serves. */
      readonly store: string | undefined;
      readonly connections: number | undefined;
      /** ssh compresses what goes through it. */
      readonly compress?: true | undefined;
    };

/** Whether `text` is a URL of this kind, so that `parseRemoteUrl` takes it. */
export function isRemoteUrl(text: string): boolean {
  return text === "daemon" || /^(unix|ssh-ng|ssh):\/\//.test(text);
}

/**
 * `daemon`, `unix:///path/to/socket`, `ssh-ng://[user@]host[:port]`, `ssh://…`, with the reference's parameters
 * `ssh-key`, `remote-program`, `remote-store`, `max-connections`, `compress`.
 *
 * @param socket where the machine's own daemon listens
 * @throws TsosError `daemon.bad-url`
 */
export function parseRemoteUrl(text: string, socket: string): RemoteUrl {
  const match = /^(unix|ssh-ng|ssh):\/\/([^?]*)(?:\?(.*))?$/.exec(text);
  if (text === "daemon") return { kind: "unix", path: socket };
  if (match === null) throw bad(text, "expected unix:///SOCKET, ssh-ng://HOST or ssh://HOST");
  const [, scheme, place] = match as unknown as readonly [string, "unix" | "ssh-ng" | "ssh", string];
  const parameters = new URLSearchParams(match[3] ?? "");
  if (scheme === "unix") return { kind: "unix", path: place === "" ? socket : decodeURIComponent(place) };
  const parts = /^((?:[^@/]+@)?(?:\[[^\]]+\]|[^:/]+))(?::([0-9]+))?\/?$/.exec(place);
  // A host that begins with a dash would be an option of ssh.
  if (parts === null || place.startsWith("-") || place.includes("@-")) throw bad(text, "it names no host");
  const connections = parameters.get("max-connections");
  const program = parameters.get("remote-program")?.split(/\s+/).filter((word) => word !== "");
  return {
    kind: scheme,
    host: parts[1]!.replace(/[[\]]/g, ""),
    port: parts[2],
    key: parameters.get("ssh-key") ?? undefined,
    program,
    store: parameters.get("remote-store") ?? undefined,
    connections: connections === null ? undefined : Math.max(1, Number(connections) || 1),
    ...(/^(?:true|1|yes|on)$/.test(parameters.get("compress") ?? "") ? { compress: true } : {}),
  };
}

function bad(text: string, problem: string): TsosError {
  return new TsosError({ code: "daemon.bad-url", message: `"${text}" is no store that can be reached: ${problem}`, data: { url: text } });
}
