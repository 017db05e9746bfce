import { readError, stripColour } from "../wire/error-codec.ts";
import { MESSAGE } from "../wire/protocol.ts";
import { protocolError, type WireReader } from "../wire/wire-reader.ts";

/** What a daemon says while it works on a request. */
export type DaemonMessage =
  /** Its answer, if the request has one, is next. */
  | { readonly kind: "last" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "start"; readonly id: number; readonly type: number; readonly text: string; readonly fields: readonly (string | bigint)[]; readonly parent: number }
  | { readonly kind: "stop"; readonly id: number }
  | { readonly kind: "result"; readonly id: number; readonly type: number; readonly fields: readonly (string | bigint)[] };

/** @throws TsosError `daemon.remote-error` with what the other side says went wrong. Nix: libstore/remote-store.cc, processStderr */
export async function readDaemonMessage(reader: WireReader): Promise<DaemonMessage> {
  const kind = await reader.number();
  reader.renewBudget();
  switch (kind) {
    case MESSAGE.last:
      return { kind: "last" };
    case MESSAGE.error:
      throw await readError(reader);
    case MESSAGE.next:
      return { kind: "text", text: stripColour(await reader.text()).trimEnd() };
    case MESSAGE.startActivity: {
      const id = await reader.number();
      await reader.number();
      const type = await reader.number();
      const text = stripColour(await reader.text());
      const fields = await readFields(reader);
      return { kind: "start", id, type, text, fields, parent: await reader.number() };
    }
    case MESSAGE.stopActivity:
      return { kind: "stop", id: await reader.number() };
    case MESSAGE.result: {
      const id = await reader.number();
      const type = await reader.number();
      return { kind: "result", id, type, fields: await readFields(reader) };
    }
    default:
      throw protocolError(`0x${kind.toString(16)} is no message of a daemon`);
  }
}

function readFields(reader: WireReader): Promise<(string | bigint)[]> {
  return reader.list(async () => {
    const type = await reader.number();
    if (type > 1) throw protocolError(`${type} is no type of a field`);
    return type === 0 ? reader.bigint() : reader.text();
  });
}
