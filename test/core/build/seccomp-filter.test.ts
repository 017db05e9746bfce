import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeccompFilter } from "../../../core/build/seccomp-filter.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;
const ENOTSUP = 0x5005f;
const EAFNOSUPPORT = 0x50061;
const KILL = 0x80000000;

/** The kernel's machine, as far as the filters use it. */
function run(program: Uint8Array, architecture: number, call: number, args: readonly number[] = []): number {
  const view = new DataView(program.buffer);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call, true);
  data.setUint32(4, architecture, true);
  args.forEach((argument, index) => data.setBigUint64(16 + index * 8, BigInt(argument), true));
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const operand = view.getUint32(at * 8 + 4, true);
    const jump = (condition: boolean): void => void (at += view.getUint8(at * 8 + (condition ? 2 : 3)));
    switch (view.getUint16(at * 8, true)) {
      case 0x20:
        accumulator = data.getUint32(operand, true);
        break;
      case 0x15:
        jump(accumulator === operand);
        break;
      case 0x35:
        jump(accumulator >= operand);
        break;
      case 0x45:
        jump((accumulator & operand) !== 0);
        break;
      case 0x06:
        return operand;
      default:
        assert.fail("unknown instruction");
    }
  }
  return assert.fail("the program has no end");
}

const machines = [
  { machine: "x64", name: "x86-64", architecture: 0xc000003e, chmod: [[90, 1], [91, 1], [268, 2], [452, 2]], xattr: [188, 189, 190, 463], read: 0, opens: [[2, 1, 2], [257, 2, 3]], socket: 41 },
  { machine: "x64", name: "i386", architecture: 0x40000003, chmod: [[15, 1], [94, 1], [306, 2], [452, 2]], xattr: [226, 227, 228, 463], read: 3, opens: [[5, 1, 2], [295, 2, 3]], socket: 359 },
  { machine: "arm64", name: "aarch64", architecture: 0xc00000b7, chmod: [[52, 1], [53, 2], [452, 2]], xattr: [5, 6, 7, 463], read: 63, opens: [[56, 2, 3]], socket: 198 },
  { machine: "arm64", name: "arm", architecture: 0x40000028, chmod: [[15, 1], [94, 1], [333, 2], [452, 2]], xattr: [226, 227, 228, 463], read: 3, opens: [[5, 1, 2], [322, 2, 3]], socket: 281 },
] as const;

for (const { machine, name, architecture, chmod, xattr, read, opens, socket } of machines) {
  describe(name, () => {
    const program = createSeccompFilter(machine);
    test("refuses setuid and setgid bits, and no other mode", () => {
      for (const [call, argument] of chmod) {
        const withMode = (mode: number): number => run(program, architecture, call, [7, 7, 7].map((value, index) => (index === argument ? mode : value)));
        assert.equal(withMode(0o4755), EPERM);
        assert.equal(withMode(0o2755), EPERM);
        assert.equal(withMode(0o1777), ALLOW);
        assert.equal(withMode(0o644), ALLOW);
      }
    });
    test("refuses them where a file is made, if one is made", () => {
      for (const [call, flags, mode] of opens) {
        const withArguments = (flag: number, bits: number): number => {
          const args = [7, 7, 7, 7];
          args[flags] = flag;
          args[mode] = bits;
          return run(program, architecture, call, args);
        };
        assert.equal(withArguments(0o101, 0o4755), EPERM);
        assert.equal(withArguments(0o20200002, 0o2755), EPERM);
        assert.equal(withArguments(0o101, 0o755), ALLOW);
        // Without O_CREAT the mode is whatever the register holds.
        assert.equal(withArguments(0o200002, 0o4755), ALLOW);
      }
    });
    test("refuses named sockets where the network is the machine's", () => {
      const closed = createSeccompFilter(machine, { unixSockets: false });
      assert.equal(run(closed, architecture, socket, [1, 1, 0]), EAFNOSUPPORT);
      assert.equal(run(closed, architecture, socket, [2, 1, 0]), ALLOW);
      assert.equal(run(program, architecture, socket, [1, 1, 0]), ALLOW);
    });
    test("has none of the calls that hide their arguments", () => {
      for (const call of [425, 437]) assert.equal(run(program, architecture, call, []), ENOSYS);
    });
    test("has no extended attributes", () => {
      for (const call of xattr) assert.equal(run(program, architecture, call), ENOTSUP);
    });
    test("lets the rest through", () => {
      assert.equal(run(program, architecture, read, [0o4755, 0o4755, 0o4755]), ALLOW);
    });
  });
}

test("ends a process of an unknown architecture", () => {
  assert.equal(run(createSeccompFilter("x64"), 0x12345678, 90), KILL);
});

test("has none of the calls of x86-64's 32-bit pointers", () => {
  assert.equal(run(createSeccompFilter("x64"), 0xc000003e, 0x40000000 + 90, [0, 0o4755]), ENOSYS);
});
