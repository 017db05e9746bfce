/**
 * Stands for the package `string-width` in the bundle: yargs measures its help with it. That one decides on every
 * script and emoji with expressions that take the engine 30 ms to compile at each start; tsos's help is ASCII.
 * A default export, as the package has.
 */
export default function stringWidth(text: string): number {
  return [...text.replace(ESCAPES, "")].length;
}

const ESCAPES = /\u001b\[[0-9;]*m/g;
