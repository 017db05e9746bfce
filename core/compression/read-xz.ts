import * as xzModule from "xz-decompress";

// A CommonJS module whose names Node cannot see: there they are on the default export; bundled, on both.
const { XzReadableStream } = "default" in xzModule ? (xzModule.default as typeof xzModule) : xzModule;

/** The bytes of an xz stream. */
export async function* readXz(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const input = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
  const reader = new XzReadableStream(input).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
    await iterator.return?.();
  }
}
