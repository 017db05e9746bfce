import type { NixEnvironment } from "./nix-environment.ts";

/** The version of the language and the commands, as `builtins.nixVersion` names it. */
const NIX_VERSION = "2.34.8";

const SELECTION = `  -A, --attr PATH        the attribute that is meant
  --arg NAME EXPR        give functions the argument NAME
  --argstr NAME TEXT     the same with a text; also --arg-from-file NAME FILE, --arg-from-stdin NAME
  -E, --expr             the words are expressions, not files
  -I PATH, -I NAME=PATH  first places of the search path`;
const BUILDING = `  -j N, --cores N        builds at once, cores for each
  -K, --keep-failed      keep the folder of a failed build
  -k, --keep-going       build what does not need what failed
  --dry-run              only say what would be built`;

const HELP: Readonly<Record<string, string>> = {
  "nix-copy-closure": `[--to | --from] HOST PATH…
Copies paths with all that they need to or from a machine that ssh reaches (NIX_SSHOPTS has more arguments for it).

  --include-outputs      of derivations in the closure, too
  -s, --use-substitutes  the other machine takes what it can from its own binary caches
  --gzip                 ssh compresses what goes through it
  --dry-run              only say what would be copied`,
  "nix-daemon": `[--stdio]
Serves the store at daemon-socket/socket of its state (or NIX_DAEMON_SOCKET_PATH) until it is interrupted.

  --stdio                serve one client over standard input and output
  --force-trusted, --force-untrusted, --default-trust
                         who is trusted (feature daemon-trust-override)`,
  "nix-instantiate": `[FILE… | -E EXPR… | -]
Evaluates to derivations in the store and prints their paths.

  --eval                 print the value instead; --parse the syntax, --find-file NAME… a search path's file
  --strict --json --xml --raw --no-location
                         how a value is printed
  --read-write-mode      write to the store with --eval, too
  --add-root LINK        a root for the result
  --dry-run              write nothing
${SELECTION}`,
  "nix-build": `[FILE… | -E EXPR… | FLAKE#ATTRIBUTE…]
       (-f FILE | --json | --print-out-paths | --rebuild | -L) [ATTRIBUTE | FLAKE#ATTRIBUTE | STORE-PATH][^OUTPUTS]…
Builds. The first form prints the outputs' paths. The second, which any of its flags chooses, is that of "nix build":
OUTPUTS are names with commas between, or * for all; without any, those that a package wants to be installed.

  -o, --out-link LINK    instead of ./result; --no-out-link, --no-link
  --check                build again and compare; --rebuild in the second form
  -f, --file FILE        attributes of this file; with --expr TEXT those of an expression
  --json                 derivations and outputs as JSON; with --dry-run what would be built
  --print-out-paths      the outputs' paths, one a line
  -L, --print-build-logs what builders print, each line with the derivation's name
  --profile LINK         the result is the next generation of this profile
${BUILDING}
${SELECTION}`,
  "nix-shell": `[FILE | -E EXPR | -p PACKAGE…]
A shell with the environment of a derivation's builder.

  --run CMD              run it and end; --command CMD the same in an interactive shell
  --pure, --keep NAME    without the environment around it, but for NAME
  -i PROGRAM             of a script's lines "#! nix-shell": what runs the script
  --exclude REGEX        inputs that are not built
${SELECTION}`,
  "nix eval": `(-f FILE | --expr EXPR) [ATTRIBUTE]
Prints a value, all of it evaluated; expressions are evaluated purely.

  --json, --raw          as JSON (--pretty: over several lines), as it is
  --apply EXPR           what EXPR makes of it
  --impure               with files, environment and clock`,
  "nix-hash": `[--flat] [--type T] [--base16|--base32|--base64|--sri] [--truncate] PATH…
       (--to-base16|--to-base32|--to-base64|--to-sri) [--type T] HASH…
Hashes of files and folders (md5 and base16 unless it is said), and hashes in other spellings.`,
  "nix-prefetch-url": `URL [HASH] | -A PATH [FILE]
Fetches into the store and prints the hash.

  --unpack, --executable, --name NAME, --type T, --print-path`,
  "nix-collect-garbage": `[-d] [--delete-older-than 14d] [--max-freed N] [--dry-run]
Deletes what no root reaches; -d old generations of profiles first.`,
  "nix-store": `OPERATION [FLAG…] [PATH…]

  -r, --realise          build, or have; --dry-run, --check, --ignore-unknown, --add-root LINK
  -q, --query            --outputs, -R --requisites, --references, --referrers, --referrers-closure, --deriver,
                         --valid-derivers, --binding NAME, --hash, --size, --tree, --resolve, --roots;
                         --use-output, --include-outputs, --force-realise
  --add, --add-fixed [--recursive] T, --print-fixed-path [--recursive] T HASH NAME
  --gc                   --print-roots, --print-live, --print-dead, --max-freed N
  --delete, --check-validity, --verify [--check-contents], --verify-path
  --dump, --restore, -l --read-log, --print-env`,
};

export function answerHelp(environment: NixEnvironment, wants: "help" | "version"): number {
  if (wants === "version") environment.print(`${environment.classic} (Nix) ${NIX_VERSION}\n`);
  else environment.print(`Usage: ${environment.command} ${HELP[environment.classic] ?? ""}\n\nSettings: --option NAME VALUE, --NAME VALUE, --NAME, --no-NAME; -v, --quiet, --show-trace,\n--log-format internal-json (records for other programs), --version\n`);
  return 0;
}
