import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { runTsos } from "../cli/tsos-process.ts";
import { writeProject } from "../core/config/trial.ts";
import { openEditorProject } from "./editor-project.ts";
import { marked } from "./editor-server.ts";

const { folder, server, project, file, tsos } = openEditorProject();

const PACKAGE = JSON.stringify({ name: "@acme/modules", version: "1.0.0", type: "module", exports: { ".": "./src/index.ts" } });
const BADGE = `import { defineModule, defineOptions, option, types } from "tsos";

const options = defineOptions({
  acme: {
    badge: {
      enable: option(types.bool, { default: false, description: "Whether to badge." }),
      level: option(types.enum(["low", "high"]), { default: "low" }),
    },
  },
});

declare module "tsos" {
  interface OptionModules {
    "@acme/badge": typeof options;
  }
}

export const badge = defineModule({
  options,
  config: ({ config, lib }) => lib.mkIf(config.acme.badge.enable, { environment: { etc: { badge: { text: config.acme.badge.level } } } }),
});
`;
const SHOP = `import { defineModule, defineOptions, option, types } from "tsos";

const options = defineOptions({
  services: {
    shop: {
      enable: option(types.bool, { default: false, description: "Whether to sell." }),
      port: option(types.port, { default: 8080 }),
    },
  },
});

declare module "tsos" {
  interface OptionModules {
    shop: typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config, lib }) => lib.mkIf(config.services.shop.enable, {
    acme: { badge: { enable: true } },
    networking: { firewall: { allowedTCPPorts: [config.services.shop.port] } },
  }),
});
`;
const STOCK = `import { defineModule, defineOptions, option, types } from "tsos";

const options = defineOptions({ services: { shop: { goods: option(types.listOf(types.str), { default: [], description: "What is sold." }) } } });

declare module "tsos" {
  interface OptionModules {
    "shop/stock": typeof options;
  }
}

export default defineModule({ options, config: ({ config }) => ({ environment: { etc: { goods: { text: config.services.shop.goods.join("\\n") } } } }) });
`;
const SYSTEM = `import { defineSystem } from "tsos";
import { badge } from "@acme/modules";
import shop from "./modules/web/shop.ts";
import stock from "./modules/web/deep/stock.ts";

export default defineSystem({
  imports: [badge, shop, stock],
  config: ({ config }) => ({
    services: { shop: { enable: true, port: 8443, goods: ["tea"] } },
    acme: { badge: { level: "high" } },
    networking: { hostName: \`shop-\${config.services.shop.port}\` },
    system: { stateVersion: "26.11" },
  }),
});
`;

before(async () => {
  const made = await runTsos(["init", "server", "--dir", project], { cwd: folder.path, stateFolder: join(folder.path, "state") });
  assert.equal(made.code, 0, made.stderr);
  writeProject(project, {
    "node_modules/@acme/modules/package.json": PACKAGE,
    "node_modules/@acme/modules/src/index.ts": BADGE,
    "modules/web/shop.ts": SHOP,
    "modules/web/deep/stock.ts": STOCK,
    "system.config.ts": SYSTEM,
  });
});

test("options of modules in folders and of an installed package are checked and evaluated", async () => {
  const checked = await tsos("check");
  assert.equal(checked.code, 0, checked.stderr);
  const badge = await tsos("eval", "environment.etc.badge.text");
  assert.equal(badge.stdout.trim(), '"high"', badge.stderr);
});

test("an editor knows them, together with those of tsos", async () => {
  const names = async (search: string, replacement: string): Promise<readonly string[]> => {
    const { text, position } = marked(SYSTEM.replace(search, replacement));
    await server.show(file, text);
    return (await server.completions(file, position)).map(({ name }) => name);
  };
  const includes = (found: readonly string[], wanted: readonly string[]): void => assert.deepEqual(wanted.filter((name) => !found.includes(name)), []);
  await server.show(file, SYSTEM);
  assert.deepEqual(await server.diagnostics(file), []);
  includes(await names("services: {", "services: { |,"), ["nginx", "openssh"]);
  includes(await names("port: 8443,", "|,"), ["port"]);
  includes(await names('level: "high"', 'level: "|"'), ["low", "high"]);
  includes(await names("config.services.shop.port", "config.services.shop.|"), ["enable", "port", "goods"]);
  const { text, position } = marked(SYSTEM.replace("level:", "le|vel:"));
  await server.show(file, text);
  const [definition] = await server.definitions(file, position);
  assert.match(`${definition?.file}: ${readFileSync(definition!.file, "utf8").split("\n")[definition!.start.line - 1]}`, /@acme\/modules\/src\/index\.ts: +level: option/);
});

test("a typo in an option of the package names the nearest", async () => {
  writeFileSync(file, SYSTEM.replace('level: "high"', 'levle: "high"'));
  const checked = await tsos("check");
  writeFileSync(file, SYSTEM);
  assert.equal(checked.code, 1);
  assert.match(checked.stderr, /did you mean "acme\.badge\.level"/);
});

test("a type error in a module stops build and switch before anything is built, and --no-check lets it pass", async () => {
  const module = join(project, "modules/web/shop.ts");
  writeFileSync(module, `${SHOP}const wrong: number = "a text";\n`);
  for (const command of [["build", "--no-link"], ["dry-activate"], ["check"]]) {
    const stopped = await tsos(...command);
    assert.equal(stopped.code, 1, command.join(" "));
    assert.match(stopped.stderr, /modules\/web\/shop\.ts:25:7/);
    assert.doesNotMatch(stopped.stderr, /building/);
  }
  const passed = await tsos("check", "--no-check");
  assert.equal(passed.code, 0, passed.stderr);
  writeFileSync(module, SHOP);
});

test("what was checked is remembered by its content, whatever the times of the files say", async () => {
  const first = await tsos("check");
  assert.equal(first.code, 0, first.stderr);
  writeFileSync(file, `${SYSTEM}const wrong: number = "a text";\n`);
  assert.equal((await tsos("check")).code, 1);
  assert.equal((await tsos("check")).code, 1, "an error is not forgotten");
  writeFileSync(file, SYSTEM);
  const again = await tsos("check", "--json");
  assert.equal(again.code, 0, again.stderr);
  assert.equal(JSON.parse(again.stdout).version, 1);
});
