import type { StoreCall, StoreObject, StoreReply } from "./evaluation-protocol.ts";
import type { ByteString } from "../util/bytes.ts";

/** The way to who holds the store. */
export type StoreChannel = {
  /** To standard output or standard error, at once. */
  write(to: "print" | "log", text: ByteString): void;
  /** To be written, in this order, before the next call is answered. */
  put(object: StoreObject): void;
  /** Waits for the answer. @throws NixError with what went wrong */
  call<Op extends StoreCall["op"]>(call: StoreCall & { readonly op: Op }): StoreReply & { readonly op: Op };
};
