import { runActivator } from "./activator.ts";

// The bundle's first module: `node activate.mjs --toplevel PATH ACTION`.
process.exitCode = await runActivator(process.argv.slice(2));
