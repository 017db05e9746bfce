/** `fault-child SCENARIO FOLDER POINT`: does what the scenario does and is killed before its POINTth operation. */
import { openLocalStore } from "../../core/store/local-store.ts";
import { installFaultPoints } from "./fault-points.ts";
import { STORE_SCENARIOS } from "./store-scenarios.ts";

const [name, folder, point] = process.argv.slice(2);
const faults = installFaultPoints();
faults.arm("kill", Number(point));
{
  await using store = await openLocalStore({ root: `${folder!}/root`, autoOptimise: STORE_SCENARIOS[name!]!.autoOptimise });
  await STORE_SCENARIOS[name!]!.run(store, folder!);
}
faults.disarm();
