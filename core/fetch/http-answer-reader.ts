import { TsosError } from "../error/tsos-error.ts";

export type HttpHead = {
  readonly status: number;
  /** By names in lower case; what stands several times is joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
};

export type HttpAnswerVisitor = {
  head(head: HttpHead): void;
  /** Bytes of the body, lent until it returns. */
  body(bytes: Uint8Array): void;
  /** @param reusable whether the connection may carry another request */
  end(reusable: boolean): void;
};

/** Of the head, and of a chunk's size or what follows the last one. */
const MAX_HEAD = 64 * 1024;
const MAX_LINE = 4096;

type State = "head" | "sized" | "chunk-size" | "chunk" | "chunk-end" | "trailer" | "until-close" | "done";

/**
 * Reads the one answer to a request from what a connection gives, in pieces of any sizes: HTTP/1.1 with a length, in
 * chunks, or until the connection ends (RFC 9112, section 6). What it does not understand exactly is an error: the next
 * answer would begin at a wrong place.
 */
export class HttpAnswerReader {
  readonly #visitor: HttpAnswerVisitor;
  readonly #isHead: boolean;
  #state: State = "head";
  #text = "";
  #left = 0;
  #reusable = false;

  /** @param isHead the request was `HEAD`: no body follows, whatever length is said */
  constructor(visitor: HttpAnswerVisitor, isHead: boolean) {
    this.#visitor = visitor;
    this.#isHead = isHead;
  }

  get done(): boolean {
    return this.#state === "done";
  }

  /** @throws TsosError `fetch.bad-answer` */
  write(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case "head": {
          const head = this.#until(bytes, at, "\r\n\r\n", MAX_HEAD);
          if (head === undefined) return;
          at = head.next;
          this.#begin(head.text);
          break;
        }
        case "sized":
        case "chunk": {
          const part = bytes.subarray(at, at + this.#left);
          at += part.length;
          this.#left -= part.length;
          this.#visitor.body(part);
          if (this.#left > 0) return;
          if (this.#state === "sized") this.#end();
          else this.#state = "chunk-end";
          break;
        }
        case "chunk-size": {
          const line = this.#until(bytes, at, "\r\n", MAX_LINE);
          if (line === undefined) return;
          at = line.next;
          const size = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?$/i.exec(line.text)?.[1];
          if (size === undefined) throw badAnswer(`a chunk has the size ${JSON.stringify(line.text)}`);
          this.#left = parseInt(size, 16);
          this.#state = this.#left === 0 ? "trailer" : "chunk";
          break;
        }
        case "chunk-end": {
          const line = this.#until(bytes, at, "\r\n", MAX_LINE);
          if (line === undefined) return;
          at = line.next;
          if (line.text !== "") throw badAnswer("a chunk is longer than its size");
          this.#state = "chunk-size";
          break;
        }
        case "trailer": {
          const line = this.#until(bytes, at, "\r\n", MAX_LINE);
          if (line === undefined) return;
          at = line.next;
          if (line.text === "") this.#end();
          break;
        }
        case "until-close":
          this.#visitor.body(at === 0 ? bytes : bytes.subarray(at));
          return;
        case "done":
          throw badAnswer("more follows than was asked for");
      }
    }
  }

  /** The connection ended. @returns whether that is how the answer ends */
  close(): boolean {
    if (this.#state === "until-close") this.#end();
    return this.done;
  }

  /** What stands before `mark`, and the place after that; undefined until it is there. */
  #until(bytes: Buffer, at: number, mark: string, limit: number): { readonly text: string; readonly next: number } | undefined {
    const before = this.#text.length;
    if (before === 0) {
      const end = bytes.indexOf(mark, at, "latin1");
      if (end >= 0 && end - at <= limit) return { text: bytes.toString("latin1", at, end), next: end + mark.length };
    }
    this.#text += bytes.toString("latin1", at, Math.min(bytes.length, at + limit + mark.length));
    const end = this.#text.indexOf(mark, Math.max(0, before - mark.length));
    if (end < 0 || end > limit) {
      if (this.#text.length > limit) throw badAnswer(`a head or a line is longer than ${limit} bytes`);
      return undefined;
    }
    const text = this.#text.slice(0, end);
    this.#text = "";
    return { text, next: at + end + mark.length - before };
  }

  #begin(text: string): void {
    const [first = "", ...lines] = text.split("\r\n");
    const status = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/.exec(first);
    if (status === null) throw badAnswer(`it begins with ${JSON.stringify(first.slice(0, 100))}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      // White space before the colon, and lines that go on, are what others read otherwise.
      if (colon <= 0 || /[ \t\r\n\0]/.test(line.slice(0, colon)) || /[\r\n\0]/.test(line)) throw badAnswer(`a header is ${JSON.stringify(line.slice(0, 100))}`);
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      const known = headers.get(name);
      headers.set(name, known === undefined ? value : `${known}, ${value}`);
    }
    const code = Number(status[2]);
    // Of what is on its way the answer itself is still to come.
    if (code < 200) {
      if (code === 101) throw badAnswer("it changes the protocol");
      return;
    }
    const connection = (headers.get("connection") ?? "").toLowerCase();
    this.#reusable = status[1] === "1" ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
    const coding = headers.get("transfer-encoding");
    const length = headers.get("content-length");
    this.#visitor.head({ status: code, headers });
    if (this.#isHead || code === 204 || code === 304) return this.#end();
    if (coding !== undefined) {
      if (coding.toLowerCase() !== "chunked" || length !== undefined) throw badAnswer(`its transfer coding is ${JSON.stringify(coding)}`);
      this.#state = "chunk-size";
    } else if (length !== undefined) {
      this.#left = Number(length);
      if (!/^\d+$/.test(length) || !Number.isSafeInteger(this.#left)) throw badAnswer(`its length is ${JSON.stringify(length)}`);
      this.#state = "sized";
      if (this.#left === 0) this.#end();
    } else {
      this.#state = "until-close";
      this.#reusable = false;
    }
  }

  #end(): void {
    this.#state = "done";
    this.#visitor.end(this.#reusable);
  }
}

function badAnswer(problem: string): TsosError {
  return new TsosError({ code: "fetch.bad-answer", message: `the server's answer is not understood: ${problem}` });
}
