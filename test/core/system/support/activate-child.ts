import { activate } from "../../../../core/system/activate/activate.ts";
import { openFakeSystemd } from "./fake-systemd.ts";

// One switch in a process of its own, which kills itself when it is about to run a step:
// ROOT TOPLEVEL SYSTEMD_FILE HEALTHY [DIRECTION:STEP]
const [root = "", toplevel = "", file = "", healthy = "yes", killAt = ""] = process.argv.slice(2);
const outcome = await activate({
  action: "switch",
  toplevel,
  root,
  systemManager: openFakeSystemd(file, root),
  report: (line) => console.error(line),
  checkHealth: async () => (healthy === "yes" ? [] : [{ name: "site", reason: "no answer" }]),
  onStep: (step, direction) => {
    if (`${direction}:${step}` === killAt) process.kill(process.pid, "SIGKILL");
  },
});
console.log(JSON.stringify(outcome));
