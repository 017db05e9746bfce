import { formatOptionPath } from "../../core/option/option-path.ts";
import { compareUtf8 } from "../../core/util/ordering.ts";
import { formatDescribedValue } from "./option-text.ts";
import type { OptionDocument } from "../option-documents.ts";

/** The documentation of options as Markdown: one heading an option, in the order of their names. */
export function formatOptionMarkdown(options: readonly OptionDocument[]): string {
  const sections = [...options].sort((a, b) => compareUtf8(a.name, b.name)).map(formatSection);
  return `# Options\n\n${sections.join("\n")}`;
}

function formatSection(option: OptionDocument): string {
  const lines = [`## ${code(formatOptionPath(option.path))}`, ""];
  if (option.description !== undefined) lines.push(option.description, "");
  lines.push(`- Type: ${option.type}`);
  if (option.readOnly) lines.push("- Read-only");
  if (option.default !== undefined) lines.push(...formatItem("Default", formatDescribedValue(option.default)));
  if (option.example !== undefined) lines.push(...formatItem("Example", formatDescribedValue(option.example)));
  if (option.relatedPackages.length > 0) lines.push(`- Related packages: ${option.relatedPackages.map(code).join(", ")}`);
  if (option.declaredIn.length > 0) lines.push(`- Declared in: ${option.declaredIn.map(code).join(", ")}`);
  return `${lines.join("\n")}\n`;
}

function formatItem(title: string, text: string): readonly string[] {
  if (!text.includes("\n")) return [`- ${title}: ${code(text)}`];
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return [`- ${title}:`, "", ...[`${fence}json`, ...text.split("\n"), fence].map((line) => `  ${line}`), ""];
}

/** Inline code, whatever back-ticks it holds. */
function code(text: string): string {
  const fence = "`".repeat(longestRun(text) + 1);
  const space = text.startsWith("`") || text.endsWith("`") || text === "" ? " " : "";
  return `${fence}${space}${text}${space}${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
