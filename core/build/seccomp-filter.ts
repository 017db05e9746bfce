/**
 * The system calls that a builder is refused, as a program for the kernel's packet filter machine.
 *
 * The store keeps neither setuid and setgid bits nor extended attributes, so a build that could set them would
 * behave unlike its registered result; and a setuid file in a store that others can read is a hole.
 * Nix: libstore/unix/build/linux-derivation-builder.cc (the same errors; there only the calls named chmod).
 */
import { TsosError } from "../error/tsos-error.ts";

/** Machines, in the words of Node's `process.arch`, that a filter is known for. */
export type SeccompMachine = "x64" | "arm64";

/** `chmod`-like calls by number, with the place of their mode argument; calls that set extended attributes. */
type CallTable = {
  /** linux/audit.h */
  readonly auditArchitecture: number;
  readonly chmodCalls: readonly (readonly [number: number, modeArgument: number])[];
  /** Calls that make a file if their flags say so, and the mode it gets. */
  readonly openCalls: readonly (readonly [number: number, flagsArgument: number, modeArgument: number])[];
  readonly attributeCalls: readonly number[];
  /** Calls whose arguments are in memory, where no filter sees them, and which programs do without. */
  readonly hiddenCalls: readonly number[];
  readonly socketCall: number;
  /** O_CREAT, and the bit of O_TMPFILE that no other flag has. */
  readonly createFlags: number;
};

// The numbers stand in the kernel's arch/*/entry/syscalls tables. 425 (io_uring_setup), 437 (openat2), 452 (fchmodat2) and
// 463 (setxattrat) are the same on every machine. mkdir takes no such bits; creat and mknod are like chmod.
const X86_64: CallTable = {
  auditArchitecture: 0xc000003e,
  chmodCalls: [[90, 1], [91, 1], [268, 2], [452, 2], [85, 1], [133, 1], [259, 2]],
  attributeCalls: [188, 189, 190, 463],
  openCalls: [[2, 1, 2], [257, 2, 3]],
  hiddenCalls: [425, 437],
  socketCall: 41,
  createFlags: 0o20000100,
};
const I386: CallTable = {
  auditArchitecture: 0x40000003,
  chmodCalls: [[15, 1], [94, 1], [306, 2], [452, 2], [8, 1], [14, 1], [297, 2]],
  attributeCalls: [226, 227, 228, 463],
  openCalls: [[5, 1, 2], [295, 2, 3]],
  hiddenCalls: [425, 437, 102],
  socketCall: 359,
  createFlags: 0o20000100,
};
const AARCH64: CallTable = {
  auditArchitecture: 0xc00000b7,
  chmodCalls: [[52, 1], [53, 2], [452, 2], [33, 2]],
  attributeCalls: [5, 6, 7, 463],
  openCalls: [[56, 2, 3]],
  hiddenCalls: [425, 437],
  socketCall: 198,
  createFlags: 0o20000100,
};
const ARM: CallTable = {
  auditArchitecture: 0x40000028,
  chmodCalls: [[15, 1], [94, 1], [333, 2], [452, 2], [8, 1], [14, 1], [324, 2]],
  attributeCalls: [226, 227, 228, 463],
  openCalls: [[5, 1, 2], [322, 2, 3]],
  hiddenCalls: [425, 437],
  socketCall: 281,
  createFlags: 0o20000100,
};

const TABLES: Readonly<Record<SeccompMachine, readonly CallTable[]>> = { x64: [X86_64, I386], arm64: [AARCH64, ARM] };

/** x86-64's third set of numbers (32-bit pointers); a kernel that has it would let every call through by another number. */
const X32_BIT = 0x40000000;

// linux/seccomp.h, struct seccomp_data.
const OFFSET_NUMBER = 0;
const OFFSET_ARCHITECTURE = 4;
const OFFSET_ARGUMENTS = 16;

// linux/bpf_common.h
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const errno = (number: number): number => 0x00050000 | number;
const EPERM = 1;
const ENOSYS = 38;
const ENOTSUP = 95;
const EAFNOSUPPORT = 97;

const AF_UNIX = 1;

const S_ISUID_OR_S_ISGID = 0o6000;

type Instruction = { readonly code: number; readonly whenTrue: number; readonly whenFalse: number; readonly operand: number };

const load = (offset: number): Instruction => ({ code: LOAD_WORD, whenTrue: 0, whenFalse: 0, operand: offset });
const jump = (code: number, operand: number, whenTrue: number, whenFalse: number): Instruction => ({ code, whenTrue, whenFalse, operand });
const answer = (operand: number): Instruction => ({ code: RETURN, whenTrue: 0, whenFalse: 0, operand });

/** This machine's. @throws TsosError `build.unknown-machine` */
export function seccompMachine(): SeccompMachine {
  if (process.arch === "x64" || process.arch === "arm64") return process.arch;
  throw new TsosError({
    code: "build.unknown-machine",
    message: `builds on "${process.arch}" have no system call filter, expected "x64" or "arm64"`,
  });
}

export type SeccompOptions = {
  /**
   * Default true. False for who shares the machine's network, and with it the names of abstract sockets: by one an open
   * file of the build could be handed to a process outside. Pairs of sockets, which have no name, remain.
   */
  readonly unixSockets?: boolean | undefined;
};

/**
 * The filter for `machine` and for the 32-bit programs that it also runs: setting a setuid or setgid bit, by whatever
 * call, is EPERM, setting an extended attribute ENOTSUP; calls that hide what they do are ENOSYS, as on a kernel without
 * them; a call of an unknown architecture ends the process.
 *
 * @returns an array of the kernel's `struct sock_filter`, as `bwrap --seccomp` reads it
 */
export function createSeccompFilter(machine: SeccompMachine, options: SeccompOptions = {}): Uint8Array {
  const program: Instruction[] = [load(OFFSET_ARCHITECTURE)];
  for (const table of TABLES[machine]) {
    const rules = rulesOf(table, options);
    // Jumps count at most 255 instructions; a table has about seventy.
    program.push(jump(JUMP_EQUAL, table.auditArchitecture, 0, rules.length), ...rules);
  }
  program.push(answer(KILL_PROCESS));
  return assemble(program);
}

/** Entered when the architecture matches; always ends in an answer. */
function rulesOf(table: CallTable, { unixSockets = true }: SeccompOptions): Instruction[] {
  const rules: Instruction[] = [load(OFFSET_NUMBER)];
  if (table === X86_64) rules.push(jump(JUMP_GREATER_OR_EQUAL, X32_BIT, 0, 1), answer(errno(ENOSYS)));
  for (const call of table.hiddenCalls) rules.push(jump(JUMP_EQUAL, call, 0, 1), answer(errno(ENOSYS)));
  for (const call of table.attributeCalls) rules.push(jump(JUMP_EQUAL, call, 0, 1), answer(errno(ENOTSUP)));
  for (const [call, argument] of table.chmodCalls) {
    rules.push(
      jump(JUMP_EQUAL, call, 0, 4),
      // All machines here are little-endian: the low word of the 64-bit argument comes first.
      load(OFFSET_ARGUMENTS + 8 * argument),
      jump(JUMP_ANY_BIT, S_ISUID_OR_S_ISGID, 0, 1),
      answer(errno(EPERM)),
      answer(ALLOW),
    );
  }
  for (const [call, flags, mode] of table.openCalls) {
    rules.push(
      jump(JUMP_EQUAL, call, 0, 6),
      // Without one of these the mode is not looked at, and may be anything.
      load(OFFSET_ARGUMENTS + 8 * flags),
      jump(JUMP_ANY_BIT, table.createFlags, 0, 3),
      load(OFFSET_ARGUMENTS + 8 * mode),
      jump(JUMP_ANY_BIT, S_ISUID_OR_S_ISGID, 0, 1),
      answer(errno(EPERM)),
      answer(ALLOW),
    );
  }
  if (!unixSockets) {
    rules.push(
      jump(JUMP_EQUAL, table.socketCall, 0, 4),
      load(OFFSET_ARGUMENTS),
      jump(JUMP_EQUAL, AF_UNIX, 0, 1),
      answer(errno(EAFNOSUPPORT)),
      answer(ALLOW),
    );
  }
  rules.push(answer(ALLOW));
  return rules;
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach((instruction, index) => {
    view.setUint16(index * 8, instruction.code, true);
    view.setUint8(index * 8 + 2, instruction.whenTrue);
    view.setUint8(index * 8 + 3, instruction.whenFalse);
    view.setUint32(index * 8 + 4, instruction.operand, true);
  });
  return bytes;
}
