import { test } from "node:test";
import { runCrowd } from "./crowd.ts";

test("sixteen processes at the same paths neither block nor break one another for two minutes", { timeout: 600_000 }, (t) => runCrowd(t, 120));
