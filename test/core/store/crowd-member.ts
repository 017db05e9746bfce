/** One of many processes at the same store: `crowd-member ROOT CACHE LOG SECONDS SEED`. Prints what it did as JSON. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../../../core/error/tsos-error.ts";
import type { BuildOptions } from "../../../core/build/build-options.ts";
import { realise } from "../../../core/build/realise.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { createSubstituters } from "../../../core/cache/substituters.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { createRandom } from "../../faults/seeded-random.ts";
import { crowdDerivations } from "./crowd-derivations.ts";

const [root, cacheFolder, log, seconds, seed] = process.argv.slice(2) as [string, string, string, string, string];
const { next: random } = createRandom(Number(seed));
const until = performance.now() + Number(seconds) * 1000;
const { paths: drvs, texts } = crowdDerivations();
const done = { build: 0, substitute: 0, add: 0, collect: 0, verify: 0 };

function note(word: string, path: string): void {
  // One short write in append mode: the order of the lines is the order of the events.
  appendFileSync(log, `${word} ${process.pid} ${path}\n`);
}

while (performance.now() < until) {
  // Opened anew, since what a store asked for stays alive for as long as it is open.
  await using store = await openLocalStore({ root });
  const cache = await openBinaryCache(`file://${cacheFolder}?trusted=1`, { settings: plainFetchSettings, environment: {} });
  const substituter = createSubstituters({ store, caches: [cache], trust: { publicKeys: [], requireSignatures: true } });
  const options: BuildOptions = {
    jobs: 2,
    cores: 1,
    settings: plainFetchSettings,
    tools: { bubblewrap: () => Promise.reject(new Error("nothing of this is built in a sandbox")) },
    builtins: new Map([
      ["crowd", async ({ derivationPath, outputs, env }) => {
        note("begin", derivationPath);
        const out = outputs.get("out")!;
        mkdirSync(out);
        writeFileSync(`${out}/text`, env.get("text")!);
        await sleep(Math.floor(random() * 5));
        note("end", derivationPath);
      }],
    ]),
  };
  const choice = random();
  if (choice < 0.6) {
    await store.addTextsToStore(texts);
    const start = Math.floor(random() * drvs.length);
    const targets = Array.from({ length: 1 + Math.floor(random() * 25) }, (_, i) => ({ drvPath: drvs[(start + i * 7) % drvs.length]! }));
    const substitutes = choice < 0.2;
    try {
      const results = await realise(store, targets, substitutes ? { ...options, substituter } : options);
      const outputs = [...results.values()].flatMap((paths) => [...paths.values()]);
      const valid = await store.queryValidPaths(outputs);
      const missing = outputs.filter((path) => !valid.has(path));
      if (missing.length > 0) throw new Error(`these were realised and are not valid: ${missing.join(" ")}`);
      done[substitutes ? "substitute" : "build"]++;
    } catch (error) {
      console.error(error instanceof TsosError ? `${error.code} ${error.message}` : error);
      process.exitCode = 1;
      break;
    }
  } else if (choice < 0.7) {
    await store.addTextsToStore(Array.from({ length: 10 }, (_, i) => ({ name: `added-${i}`, contents: String(i), references: [] })));
    done.add++;
  } else if (choice < 0.95) {
    await store.collectGarbage(random() < 0.5 ? {} : { maxFreed: 50_000 });
    done.collect++;
  } else {
    const problems = await store.verify({ checkContents: random() < 0.3 });
    if (problems.length > 0) {
      console.error(JSON.stringify(problems));
      process.exitCode = 1;
      break;
    }
    done.verify++;
  }
}
console.log(JSON.stringify(done));
