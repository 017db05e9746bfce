import { main } from "./main.ts";

// The bundle's first module: `node activate.mjs --toplevel PATH ACTION`.
process.exitCode = await main(process.argv.slice(2));
