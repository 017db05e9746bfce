/** A process that realises derivations of a store: `realise-process.ts ROOT DRV…`. It says when it begins a build. */
import { realise } from "../../../core/build/realise.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { parseStorePathBaseName } from "../../../core/store-path/store-path.ts";
import { findBubblewrap } from "./build-fixture.ts";

const [root, ...derivations] = process.argv.slice(2);
await using store = await openLocalStore({ root: root! });
await realise(
  store,
  derivations.map((path) => ({ drvPath: parseStorePathBaseName(path) })),
  {
    jobs: 2,
    cores: 1,
    settings: plainFetchSettings,
    builtins: new Map(),
    tools: { bubblewrap: () => Promise.resolve({ command: findBubblewrap(), args: [] }) },
    report(event) {
      if (event.kind === "log") console.log(`log ${event.line}`);
      if (event.kind === "start" && event.activity === "build") console.log(`build ${event.subject}`);
    },
  },
);
console.log("done");
