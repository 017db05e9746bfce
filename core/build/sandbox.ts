import { chmodSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { byteStringToBytes, encodeUtf8, fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { openMemoryFile } from "../util/memory-file.ts";
import type { BuilderGuard } from "./builder-guard.ts";
import type { Tool } from "./tool.ts";
import { MOUNTS_OF_BUBBLEWRAP, mounterCommand, type MountJob } from "./sandbox-mounts.ts";
import { createSeccompFilter, seccompMachine } from "./seccomp-filter.ts";

/** Where the builder finds its build folder, on every machine. */
export const SANDBOX_BUILD_FOLDER = "/build";

/** A store path: where it is seen, and where it is. */
export type SandboxInput = { readonly shown: string; readonly real: string };

/** A file or folder of the machine: where it is seen, and where it is; or a symbolic link, and where that leads; or a folder with nothing in it. */
export type SandboxPath = SandboxInput & { readonly optional: boolean; readonly isLink?: boolean; readonly isEmpty?: boolean };

export type SandboxOptions = {
  readonly bubblewrap: Tool;
  /** Ends the builder when tsos is killed. */
  readonly guard: BuilderGuard;
  /** A folder of this build alone, on the store's file system. */
  readonly scratch: string;
  /** `/nix/store`. */
  readonly storeDir: string;
  /** What is visible of the store. */
  readonly inputs: Iterable<SandboxInput>;
  readonly variables: ReadonlyMap<ByteString, ByteString>;
  readonly builder: ByteString;
  readonly args: readonly ByteString[];
  readonly network: boolean;
  /** The merged tree whose `usr` and `etc` are the machine's. */
  readonly buildRoot?: SandboxInput;
  /** A program of the machine to be `/bin/sh` where there is no build root. */
  readonly shell?: string;
  /** What else of the machine is shown. */
  readonly paths?: readonly SandboxPath[];
  readonly features: ReadonlySet<string>;
};

/** One sandbox, ready to be entered. */
export type Sandbox = Disposable & {
  readonly command: string;
  readonly args: readonly string[];
  /** What the process must have as 3, 4, …: files that are closed when the sandbox is disposed. */
  readonly descriptors: readonly number[];
  /** Whether bubblewrap got as far as running the builder; else what went wrong was the sandbox. */
  builderWasRun(): boolean;
  /**
   * The process that is or becomes the builder, while it lives; it has left bubblewrap's group before it asks to die with
   * bubblewrap, so whoever kills that has to kill this one first.
   */
  findBuilder(): number | undefined;
};

/** Where in the scratch folder the builder's folders are. It sees the first as the store and makes its outputs there. */
export const SCRATCH_FOLDERS = { store: "store", build: "build", temporary: "tmp" } as const;

/** The first descriptor after the standard ones. */
const FIRST_DESCRIPTOR = 3;

/** Lays out the scratch folder and bubblewrap's arguments. */
export function prepareSandbox(options: SandboxOptions): Sandbox {
  const { scratch } = options;
  mkdirSync(join(scratch, SCRATCH_FOLDERS.store), { mode: 0o755, recursive: true });
  mkdirSync(join(scratch, SCRATCH_FOLDERS.build), { mode: 0o700, recursive: true });
  mkdirSync(join(scratch, SCRATCH_FOLDERS.temporary));
  chmodSync(join(scratch, SCRATCH_FOLDERS.temporary), 0o1777);

  const told = options.guard.openStatus();
  const descriptors: number[] = [told.descriptor];
  const status = String(FIRST_DESCRIPTOR);
  /** The number under which bubblewrap finds these bytes. */
  const pass = (contents?: Uint8Array): string => String(FIRST_DESCRIPTOR - 1 + descriptors.push(openMemoryFile(contents)));
  const dispose = (): void => {
    for (const descriptor of descriptors.splice(1)) closeSync(descriptor);
    told[Symbol.dispose]();
  };
  try {
    const filter = pass(createSeccompFilter(seccompMachine(), { unixSockets: !options.network }));
    const inputs = [...options.inputs];
    const mountsAhead = inputs.length > MOUNTS_OF_BUBBLEWRAP;
    const list = sandboxArguments(options, mountsAhead ? [] : inputs, pass);
    const binds = mountsAhead ? layMountPoints(join(scratch, SCRATCH_FOLDERS.store), inputs) : [];
    const argumentList = pass(byteStringToBytes(list.join("\0") + "\0"));
    const inner: Tool = {
      command: options.bubblewrap.command,
      args: [
        ...options.bubblewrap.args,
        ...["--args", argumentList, "--seccomp", filter, "--json-status-fd", status],
        ...["--", ...[options.builder, ...options.args].map(commandText)],
      ],
    };
    const job: MountJob = { binds, ...inner, descriptors: descriptors.length };
    const tool = mountsAhead ? mounterCommand(options.bubblewrap, Number(pass(encodeUtf8(JSON.stringify(job))))) : inner;
    return {
      ...tool,
      descriptors,
      builderWasRun: () => readFrom(told.descriptor).includes('"exit-code"'),
      findBuilder() {
        const text = readFrom(told.descriptor);
        const pid = /"child-pid": ([0-9]+)/.exec(text)?.[1];
        return pid === undefined || text.includes('"exit-code"') ? undefined : Number(pid);
      },
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** What bubblewrap told of the builder: JSON lines. */
function readFrom(descriptor: number): string {
  const bytes = Buffer.alloc(4096);
  return bytes.toString("utf8", 0, readSync(descriptor, bytes, 0, bytes.length, 0));
}

/** Makes, in the folder that will be the store, what each input is mounted on; a link is made anew. */
function layMountPoints(storeFolder: string, inputs: readonly SandboxInput[]): (readonly [real: string, place: string])[] {
  const binds: (readonly [string, string])[] = [];
  for (const { shown, real } of inputs) {
    const place = join(storeFolder, basename(shown));
    const stats = lstatSync(real);
    if (stats.isSymbolicLink()) symlinkSync(readlinkSync(real, "buffer"), place);
    else {
      if (stats.isDirectory()) mkdirSync(place);
      else closeSync(openSync(place, "wx"));
      binds.push([real, place]);
    }
  }
  return binds;
}

function sandboxArguments(options: SandboxOptions, inputs: readonly SandboxInput[], pass: (contents: Uint8Array) => string): ByteString[] {
  const list: ByteString[] = [];
  const add = (...words: readonly ByteString[]): void => void list.push(...words);
  // Names of the machine are text; arguments are bytes.
  const inScratch = (name: string): ByteString => toByteString(join(options.scratch, name));

  // One user namespace for everybody, root included: the builder is the same user 1000 on every machine.
  add("--unshare-user", "--uid", "1000", "--gid", "100", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try");
  if (!options.network) add("--unshare-net");
  // The builder itself is process 1: when it ends the kernel ends all that it left behind, before its end is told.
  add("--as-pid-1", "--die-with-parent", "--new-session", "--hostname", "localhost", "--clearenv");
  for (const [name, value] of options.variables) add("--setenv", name, value);

  // First, since the store itself may lie below it.
  // Folders on the way to what is bound would be the builder's alone.
  const hasOwnBin = options.buildRoot === undefined && (options.paths ?? []).every(({ shown }) => shown !== "/bin");
  for (const folder of ["/nix", ...(hasOwnBin ? ["/bin"] : [])]) add("--perms", "0755", "--dir", folder);
  add("--bind", inScratch(SCRATCH_FOLDERS.temporary), "/tmp");
  for (const { shown, real, optional, isLink, isEmpty } of options.paths ?? []) {
    if (isEmpty === true) add("--dir", toByteString(shown));
    else add(isLink === true ? "--symlink" : optional ? "--ro-bind-try" : "--ro-bind", toByteString(real), toByteString(shown));
  }
  add("--bind", inScratch(SCRATCH_FOLDERS.store), options.storeDir);
  for (const input of inputs) {
    // A bind follows links, so a store path that is one is made anew.
    const stats = lstatSync(input.real);
    if (stats.isSymbolicLink()) add("--symlink", readlinkSync(input.real, "latin1"), input.shown);
    else add("--ro-bind", toByteString(input.real), input.shown);
  }
  addRoot(add, options);
  addEtc(add, pass, options);
  add("--proc", "/proc");
  // Where tsos runs as root the builder is still root to the kernel's own settings, whatever it is called inside.
  for (const name of ["sys", "sysrq-trigger", "acpi", "fs", "scsi"]) add("--ro-bind-try", `/proc/${name}`, `/proc/${name}`);
  add("--dev", "/dev");
  if (options.features.has("kvm")) add("--dev-bind-try", "/dev/kvm", "/dev/kvm");
  add("--bind", inScratch(SCRATCH_FOLDERS.build), SANDBOX_BUILD_FOLDER);
  add("--remount-ro", "/", "--chdir", SANDBOX_BUILD_FOLDER);
  return list;
}

/** What to change on a machine where bubblewrap said `complaint`. */
export function sandboxUnavailable(complaint: string): TsosError {
  return new TsosError({
    code: "build.no-sandbox",
    message: `the build sandbox cannot be set up: ${complaint === "" ? "bubblewrap ended without a word" : `"${complaint}"`}`,
    hint: findRemedy(complaint),
    data: { complaint },
  });
}

function findRemedy(complaint: string): string {
  if (/mount proc|\/proc/.test(complaint)) {
    return "this looks like a container that hides parts of /proc: start it with --privileged, or with --security-opt systempaths=unconfined";
  }
  if (/No space left|ENOSPC/.test(complaint)) return "allow user namespaces: sysctl user.max_user_namespaces=15000";
  if (/namespace|uid map|gid map|setgroups|Operation not permitted|Permission denied/.test(complaint)) {
    return (
      "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); " +
      "in a container start it with --privileged, or with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    );
  }
  return "tsos never builds outside of a sandbox: see what bubblewrap said, or put another one on the PATH";
}

function addRoot(add: (...words: readonly ByteString[]) => void, options: SandboxOptions): void {
  if (options.buildRoot !== undefined) {
    add("--ro-bind", toByteString(join(options.buildRoot.real, "usr")), "/usr");
    for (const name of readdirSync(join(options.buildRoot.real, "usr"))) {
      if (/^(bin|sbin|lib|lib32|lib64|libx32)$/.test(name)) add("--symlink", `usr/${name}`, `/${name}`);
    }
  } else if (options.shell !== undefined) add("--ro-bind", toByteString(options.shell), "/bin/sh");
}

/** The few files that name the builder's user and host; the network's only for who may use it. */
function addEtc(add: (...words: readonly ByteString[]) => void, pass: (contents: Uint8Array) => string, options: SandboxOptions): void {
  const files: Record<string, string> = {
    passwd:
      `root:x:0:0:Nix build user:${SANDBOX_BUILD_FOLDER}:/noshell\n` +
      `nixbld:x:1000:100:Nix build user:${SANDBOX_BUILD_FOLDER}:/noshell\n` +
      "nobody:x:65534:65534:Nobody:/:/noshell\n",
    group: "root:x:0:\nnixbld:!:100:\nnogroup:x:65534:\n",
    hosts: "127.0.0.1 localhost\n::1 localhost\n",
  };
  if (options.network) {
    files["nsswitch.conf"] = "hosts: files dns\nservices: files\n";
    for (const name of ["resolv.conf", "services", "hosts"]) {
      try {
        files[name] = readFileSync(`/etc/${name}`, "utf8");
      } catch {
        // A machine without one has nothing to show.
      }
    }
  }
  if (options.buildRoot !== undefined) {
    let names: readonly string[] = [];
    try {
      names = readdirSync(join(options.buildRoot.real, "etc"));
    } catch {
      // A build root need not have an etc.
    }
    const target = (name: string): ByteString => `${options.buildRoot!.shown}/etc/${toByteString(name)}`;
    for (const name of names) if (files[name] === undefined) add("--symlink", target(name), `/etc/${toByteString(name)}`);
  }
  for (const [name, text] of Object.entries(files)) add("--perms", "0644", "--file", pass(encodeUtf8(text)), `/etc/${name}`);
}

function commandText(word: ByteString): string {
  try {
    return fromByteString(word);
  } catch (cause) {
    throw new TsosError({ code: "build.argument-not-utf8", message: `the builder's argument ${JSON.stringify(word)} is not UTF-8`, cause });
  }
}
