import type { ValueDescription } from "../../core/config/option-description.ts";

const LINE = 80;

/** A value as people read it: JSON, on one line where it fits. */
export function formatValue(value: unknown): string {
  const line = JSON.stringify(value, undefined, 1)?.replace(/\n\s*/g, " ") ?? "undefined";
  return line.length <= LINE ? line : JSON.stringify(value, undefined, 2);
}

export function formatDescribedValue(described: ValueDescription): string {
  return "text" in described ? described.text : formatValue(described.value);
}

/** What a priority says, in the words of the functions that give it. */
export function formatPriority(priority: number): string {
  switch (priority) {
    case 10:
      return "mkVMOverride";
    case 50:
      return "mkForce";
    case 60:
      return "mkImageMediaOverride";
    case 100:
      return "plain";
    case 1000:
      return "mkDefault";
    case 1400:
      return "module's default";
    case 1500:
      return "default";
    default:
      return `mkOverride ${priority}`;
  }
}

/** What an order says beside a priority; nothing where it is a plain definition's. */
export function formatOrder(order: number): string {
  if (order === 1000) return "";
  return `, ${order === 500 ? "mkBefore" : order === 1500 ? "mkAfter" : "mkOrder"} (${order})`;
}

/** The first sentence, for lists. */
export function firstSentence(text: string): string {
  return /^.*?\.(?=\s|$)/s.exec(text.replace(/\s+/g, " "))?.[0] ?? text.replace(/\s+/g, " ");
}

/** Indents all lines after the first. */
export function hang(text: string, indent: number): string {
  return text.split("\n").join(`\n${" ".repeat(indent)}`);
}
