// Addresses, by name.
import type { NixValue } from "tsos";

export default ({ prefix }: NixValue) => {
  const host = (last: NixValue) => ({ address: `${prefix}.${String(last)}` });
  return {
    bench: host(10),
    store: { ...host(2), services: ["rsync"] },
    press: host(31),
  };
};
