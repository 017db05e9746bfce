const CLASSES: Readonly<Record<string, number>> = { u: 0o100, g: 0o010, o: 0o001 };
const BITS: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

/**
 * The octal mode of a wrapper: its set-id bits, and `permissions` as chmod reads them on a file without any.
 *
 * @example
 * wrapperMode({ setuid: true, setgid: false, permissions: "u+rx,g+x,o+x" }) // "4511"
 */
export function wrapperMode(wrapper: { readonly setuid: boolean; readonly setgid: boolean; readonly permissions: string }): string {
  let mode = 0;
  for (const clause of wrapper.permissions.split(",")) {
    const [, who, operator, letters] = /^([ugoa]*)([-+=])([rwx]*)$/.exec(clause)!;
    const classes = who === "" || who!.includes("a") ? ["u", "g", "o"] : [...who!];
    const bits = [...letters!].reduce((sum, letter) => sum | BITS[letter]!, 0);
    for (const name of classes) {
      const unit = CLASSES[name]!;
      if (operator === "-") mode &= ~(bits * unit);
      else mode = operator === "=" ? (mode & ~(7 * unit)) | (bits * unit) : mode | (bits * unit);
    }
  }
  return ((wrapper.setuid ? 0o4000 : 0) | (wrapper.setgid ? 0o2000 : 0) | mode).toString(8).padStart(4, "0");
}
