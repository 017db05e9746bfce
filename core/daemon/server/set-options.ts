import { defaultSessionSettings, type Session, type SessionSettings } from "./session.ts";

/** Settings of which a client sends the values that it has; nothing is said of those that do not matter here. */
const SILENT: ReadonlySet<string> = new Set(["experimental-features", "extra-experimental-features", "plugin-files", "ssh-auth-sock"]);

/** Settings that any client may send, as the reference has it. */
const HARMLESS: ReadonlySet<string> = new Set(["timeout", "max-silent-time", "build-poll-interval", "connect-timeout"]);

/** Nix: libstore/daemon.cc, ClientSettings. */
export async function setOptions(session: Session): Promise<void> {
  const { reader } = session;
  const keepFailed = await reader.boolean();
  const keepGoing = await reader.boolean();
  await reader.boolean();
  const verbosity = await reader.number();
  const jobs = await reader.number();
  const silence = await reader.bigint();
  // The build hook, and whether builders' output is shown: the client picks what it shows.
  for (let i = 0; i < 4; i++) await reader.bigint();
  const cores = await reader.number();
  const useSubstitutes = await reader.boolean();
  const overrides = await reader.map(() => reader.text());
  await session.work(async () => {
    session.messages.verbosity = verbosity;
    const settings: SessionSettings = { ...defaultSessionSettings, keepFailed, keepGoing, jobs, cores, useSubstitutes };
    const others = new Map([...overrides].filter(([name, value]) => session.trusted || HARMLESS.has(name) || declinesBuilders(name, value)));
    // Zero is what a client says that has not been told of any.
    if (silence !== 0n && !others.has("max-silent-time")) others.set("max-silent-time", String(silence));
    session.settings = { ...settings, others, substituters: chooseSubstituters(session, overrides) };
    for (const [name, value] of overrides) if (!session.trusted && !isAllowed(name, value)) warnRestricted(session, name);
  });
}

const SUBSTITUTERS = ["substituters", "binary-caches", "extra-substituters", "extra-binary-caches"] as const;

/** Anybody may have no other machine build. */
function declinesBuilders(name: string, value: string): boolean {
  return name === "builders" && value === "";
}

function isAllowed(name: string, value: string): boolean {
  return SILENT.has(name) || HARMLESS.has(name) || SUBSTITUTERS.some((one) => one === name) || declinesBuilders(name, value);
}

function warnRestricted(session: Session, name: string): void {
  session.messages.warn(`ignoring the client-specified setting '${name}', because it is a restricted setting and you are not a trusted user`);
}

/** Which of the asked substituters the client may have: a trusted one all, others what the machine trusts. */
function chooseSubstituters({ host, trusted, messages }: Session, overrides: ReadonlyMap<string, string>): readonly string[] | undefined {
  const words = (name: string): readonly string[] | undefined => overrides.get(name)?.split(/\s+/).filter((word) => word !== "");
  const named = words("substituters") ?? words("binary-caches");
  const extra = [...(words("extra-substituters") ?? []), ...(words("extra-binary-caches") ?? [])];
  if (named === undefined && extra.length === 0) return undefined;
  const bare = (url: string): string => url.replace(/\/+$/, "");
  const allowed = new Set([...host.substituters, ...host.trustedSubstituters].map(bare));
  return [...new Set([...(named ?? host.substituters), ...extra])].filter((url) => {
    if (trusted || allowed.has(bare(url))) return true;
    messages.warn(`ignoring untrusted substituter '${url}', you are not a trusted user.\nRun \`man nix.conf\` for more information on the \`substituters\` configuration option.`);
    return false;
  });
}
