/** A process that realises derivations of a store: `realise-process.ts ROOT DRV…`. It says when it begins a build. */
import { parseStorePathBaseName } from "../../../core/store-path/store-path.ts";
import { createBuildFixture } from "./build-fixture.ts";

const [root, ...derivations] = process.argv.slice(2);
await using fixture = await createBuildFixture({ root: root! });
await fixture.build(
  derivations.map((path) => ({ drvPath: parseStorePathBaseName(path) })),
  {
    report(event) {
      if (event.kind === "log") console.log(`log ${event.line}`);
      if (event.kind === "start" && event.activity === "build") console.log(`build ${event.subject}`);
    },
  },
);
console.log("done");
