/** The TypeScript server of the pinned compiler, spoken to as an editor does. */
import { fork, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const tsserver = join(dirname(createRequire(import.meta.url).resolve("typescript")), "tsserver.js");

export type Location = { readonly line: number; readonly offset: number };
export type Diagnostic = { readonly start: Location; readonly text: string; readonly code: number; readonly category: string };
export type Completion = { readonly name: string; readonly kind: string };
export type Hover = { readonly displayString: string; readonly documentation: string; readonly tags: readonly { readonly name: string; readonly text?: string }[] };
export type Definition = { readonly file: string; readonly start: Location };

type Reply = { readonly type: string; readonly request_seq: number; readonly success: boolean; readonly message?: string; readonly body?: unknown };

export class EditorServer implements Disposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { readonly resolve: (body: unknown) => void; readonly reject: (error: Error) => void }>();
  readonly #texts = new Map<string, string>();
  #sequence = 0;

  /** @param execArgv further arguments of Node: to profile it, for one */
  constructor(execArgv: readonly string[] = []) {
    this.#child = fork(tsserver, ["--useNodeIpc", "--disableAutomaticTypingAcquisition", "--suppressDiagnosticEvents"], { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: ["--max-old-space-size=4096", ...execArgv] });
    this.#child.on("message", (message: Reply) => {
      if (message.type !== "response") return;
      const waiting = this.#waiting.get(message.request_seq);
      this.#waiting.delete(message.request_seq);
      if (message.success) waiting?.resolve(message.body);
      else if (message.message === "No content available.") waiting?.resolve(undefined);
      else waiting?.reject(new Error(message.message));
    });
    this.#child.on("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the server ended with code ${code}`));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  request<T>(command: string, args: unknown): Promise<T> {
    const seq = ++this.#sequence;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(seq, { resolve: resolve as (body: unknown) => void, reject });
      this.#child.send({ seq, type: "request", command, arguments: args });
    });
  }

  /** Opens a file with a text, or gives an open one another text. */
  async show(file: string, text = readFileSync(file, "utf8")): Promise<void> {
    const before = this.#texts.get(file);
    this.#texts.set(file, text);
    if (before === undefined) await this.request("updateOpen", { openFiles: [{ file, fileContent: text, scriptKindName: "TS" }] });
    else {
      const start = { line: 1, offset: 1 };
      await this.request("updateOpen", { changedFiles: [{ fileName: file, textChanges: [{ start, end: locationOf(before, before.length), newText: text }] }] });
    }
  }

  /** Types `inserted` at `position`, as an editor reports a key. */
  async type(file: string, position: number, inserted: string): Promise<void> {
    const before = this.#texts.get(file) ?? "";
    const at = locationOf(before, position);
    this.#texts.set(file, before.slice(0, position) + inserted + before.slice(position));
    await this.request("updateOpen", { changedFiles: [{ fileName: file, textChanges: [{ start: at, end: at, newText: inserted }] }] });
  }

  async completions(file: string, position: number): Promise<readonly Completion[]> {
    const body = await this.request<{ readonly entries: readonly Completion[] } | undefined>("completionInfo", this.#at(file, position));
    return body?.entries ?? [];
  }

  async hover(file: string, position: number): Promise<Hover | undefined> {
    const body = await this.request<(Omit<Hover, "documentation" | "tags"> & { readonly documentation: string | readonly { readonly text: string }[]; readonly tags: readonly { readonly name: string; readonly text?: string | readonly { readonly text: string }[] }[] }) | undefined>("quickinfo", this.#at(file, position));
    if (body === undefined) return undefined;
    return { ...body, documentation: joinParts(body.documentation), tags: body.tags.map(({ name, text }) => ({ name, text: joinParts(text ?? "") })) };
  }

  async definitions(file: string, position: number): Promise<readonly Definition[]> {
    const body = await this.request<{ readonly definitions: readonly Definition[] } | undefined>("definitionAndBoundSpan", this.#at(file, position));
    return body?.definitions ?? [];
  }

  async diagnostics(file: string): Promise<readonly Diagnostic[]> {
    const [syntactic, semantic] = await Promise.all([
      this.request<readonly Diagnostic[]>("syntacticDiagnosticsSync", { file }),
      this.request<readonly Diagnostic[]>("semanticDiagnosticsSync", { file }),
    ]);
    return [...syntactic, ...semantic];
  }

  /** Resident memory in bytes. */
  memory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  }

  #at(file: string, position: number) {
    return { file, ...locationOf(this.#texts.get(file) ?? "", position) };
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

function joinParts(text: string | readonly { readonly text: string }[]): string {
  return typeof text === "string" ? text : text.map((part) => part.text).join("");
}

function locationOf(text: string, position: number): Location {
  const before = text.slice(0, position).split("\n");
  return { line: before.length, offset: before.at(-1)!.length + 1 };
}

/** A text without its mark `|`, and where that was. */
export function marked(text: string): { readonly text: string; readonly position: number } {
  const position = text.indexOf("|");
  if (position < 0) throw new Error("the text has no mark");
  return { text: text.slice(0, position) + text.slice(position + 1), position };
}
