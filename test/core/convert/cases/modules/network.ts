import type { NixosModule } from "tsos";
import namesFile from "./names.ts";

const names = namesFile({ number: 3 });

const network: NixosModule = { networking: { hostName: names.host } };

export default network;
