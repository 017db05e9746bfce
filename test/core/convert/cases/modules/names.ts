// What machines are called.
import type { NixValue } from "tsos";

export default ({ number, prefix = "host" }: NixValue) => {
  if (!(number > 0)) throw new Error("assertion 'number > 0' failed");
  return {
    host: `${prefix}-${String(number)}`,
  };
};
