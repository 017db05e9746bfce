/** What the type checker must accept and refuse; `tsc` is the test. */
import { defineModule, defineOptions, defineShell, defineSystem, lib, option, types } from "tsos";
import type { Config, OptionType, Package } from "tsos";

const options = defineOptions({
  typeTest: {
    enable: option(types.bool, { default: false }),
    mode: option(types.enum(["fast", "slow"]), { default: "fast" }),
    package: option(types.package, { default: ({ pkgs }) => pkgs.hello, defaultText: "pkgs.hello" }),
    names: option(types.listOf(types.str), { default: [] }),
    ports: option(types.listOf(types.port), { default: [80] }),
    root: option(types.path, {}),
    count: option(types.str, { apply: (text) => text.length }),
    maybe: option(types.nullOr(types.int), { default: null }),
    pair: option(types.either(types.int, types.str), { default: 1 }),
    several: option(types.oneOf([types.bool, types.int, types.listOf(types.str)]), { default: 1 }),
    tag: option(types.attrTag({ file: option(types.path), text: option(types.str) }), { default: { text: "" } }),
    callback: option(types.functionTo(types.str, types.argument<number>()), { default: () => (n: number) => String(n) }),
    settings: option(
      types.submodule({ freeformType: types.attrsOf(types.json), options: { workers: option(types.int, { default: 1 }) } }),
      { default: {} },
    ),
    hosts: option(
      types.attrsOf(
        types.submodule({
          options: {
            root: option(types.nullOr(types.path), { default: null }),
            port: option(types.port, { default: 80 }),
            kind: option(types.enum(["a", "b"]), { default: "a" }),
            url: option(types.str, { default: ({ name }) => name }),
            locations: option(types.attrsOf(types.submodule({ options: { proxyPass: option(types.nullOr(types.str), { default: null }) } })), { default: {} }),
          },
          config: ({ config, name }) => ({ url: lib.mkDefault(`${name}:${config.port}`) }),
        }),
      ),
      { default: {} },
    ),
  },
});

const more = defineOptions({ typeTest: { other: option(types.bool, { default: true }) } });

declare module "tsos" {
  interface OptionModules {
    "test/type-test": typeof options;
    "test/type-test-more": typeof more;
  }
  interface ShellOptionModules {
    "test/shell-type-test": typeof shellOptions;
  }
}

const shellOptions = defineOptions({ shellTypeTest: { tools: option(types.listOf(types.package), { default: [] }) } });

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Same<A, B>): void {}

declare const config: Config;
declare const somePackage: Package;

// What is read.
same<typeof config.typeTest.enable, boolean>(true);
same<typeof config.typeTest.mode, "fast" | "slow">(true);
same<typeof config.typeTest.package, Package>(true);
same<typeof config.typeTest.ports, readonly number[]>(true);
same<typeof config.typeTest.root, string>(true);
same<typeof config.typeTest.count, number>(true);
same<typeof config.typeTest.maybe, number | null>(true);
same<typeof config.typeTest.pair, number | string>(true);
same<typeof config.typeTest.several, boolean | number | readonly string[]>(true);
same<typeof config.typeTest.other, boolean>(true);
same<ReturnType<typeof config.typeTest.callback>, string>(true);
same<typeof config.typeTest.settings.workers, number>(true);
const host = config.typeTest.hosts["x"];
// @ts-expect-error a name may be absent
host.root;
same<NonNullable<typeof host>["root"], string | null>(true);
config.typeTest.hosts["x"]!.locations["/"]!.proxyPass satisfies string | null;
// @ts-expect-error no such option
config.typeTest.enabel;
// @ts-expect-error what is read cannot be changed
config.typeTest.enable = true;
// @ts-expect-error nor a list
config.typeTest.names.push("x");

// What is written.
defineSystem(() => ({ typeTest: { enable: true, mode: "slow", root: somePackage, package: somePackage } }));
defineSystem(({ config, lib }) => ({
  typeTest: {
    enable: lib.mkForce(lib.mkIf(config.typeTest.other, true)),
    names: lib.mkBefore(["a", lib.mkIf(config.typeTest.enable, "b")]),
    tag: { file: "/x" },
    settings: { workers: 3, "anything else": { a: [1, "b", null] } },
    callback: (n) => n.toFixed(),
    hosts: {
      a: { root: "/srv/a", kind: "b", locations: { "/": { proxyPass: "http://b" } } },
      b: ({ name, config, root }) => ({ root: `/srv/${name}-${config.port}-${root.typeTest.count}`, kind: "a" }),
      c: lib.mkIf(config.typeTest.enable, { port: lib.mkDefault(8080) }),
      d: config.typeTest.enable ? { port: 1 } : undefined,
    },
  },
}));
// Beside options of their own, settings take every name: what is modified is of the option's type all the same.
defineSystem(({ lib }) => ({ typeTest: { settings: { workers: lib.mkForce(3), more: lib.mkDefault({ a: [1, lib.mkForce("b")] }) } } }));
// @ts-expect-error no number
defineSystem(({ lib }) => ({ typeTest: { settings: { workers: lib.mkForce("three") } } }));
defineSystem(({ config, lib }) => lib.mkMerge([
  { typeTest: { enable: true } },
  lib.mkIf(config.typeTest.enable, { typeTest: { mode: "slow" } }),
  {},
]));
defineSystem(({ config, lib }) => lib.mkIf(config.typeTest.enable, { typeTest: { mode: "slow" } }));
defineSystem(({ config }) => {
  if (!config.typeTest.enable) return {};
  return { typeTest: { mode: "slow", hosts: Object.fromEntries(config.typeTest.names.map((name) => [name, { port: 80 }])) } };
});
defineSystem({ imports: [({ config }: { config: Config }) => ({ typeTest: { enable: config.typeTest.other } })], config: { typeTest: { enable: true } } });
defineSystem({ config: ({ config }) => ({ typeTest: { enable: config.typeTest.other } }), disabledModules: ["services/x"] });
defineModule({
  options,
  defaults: ({ config }) => ({ typeTest: { root: `/var/lib/${config.typeTest.mode}` } }),
  config: ({ config, pkgs, lib }) => ({
    assertions: [{ assertion: config.typeTest.enable, message: "…" }],
    warnings: lib.optionals(pkgs !== undefined, ["…"]),
  }),
});
const shared = { typeTest: { enable: true } };
defineSystem(() => ({ ...shared, ...lib.optionalAttrs(true, { assertions: [] }) }));

// What is refused, at the property.
defineSystem(() => ({
  typeTest: {
    // @ts-expect-error a string is not a boolean
    enable: "yes",
    // @ts-expect-error not a member
    mode: "medium",
    // @ts-expect-error a list's element
    names: [1],
  },
}));
defineSystem(() => ({
  // @ts-expect-error no such option
  typeTset: { enable: true },
}));
defineSystem(() => ({
  typeTest: {
    enable: true,
    // @ts-expect-error no such option beside one that is there
    moode: "slow",
  },
}));
defineSystem(({ lib }) => ({
  typeTest: lib.mkIf(true, {
    enable: true,
    // @ts-expect-error inside a condition
    moode: "slow",
  }),
}));
defineSystem(({ lib }) => lib.mkMerge([
  {
    typeTest: {
      // @ts-expect-error inside mkMerge at the top
      moode: "slow",
    },
  },
]));
defineSystem(() => ({
  typeTest: {
    hosts: {
      a: {
        port: 1,
        // @ts-expect-error in a submodule
        rooot: "/",
      },
      // @ts-expect-error in a submodule's function
      b: () => ({ port: 1, rooot: "/" }),
    },
  },
}));
defineSystem(() => ({
  typeTest: {
    hosts: {
      c: {
        locations: {
          "/": {
            // @ts-expect-error two submodules down
            proxyPas: "x",
          },
        },
      },
    },
  },
}));
// @ts-expect-error a typo in one of two results
defineSystem(({ config }) => {
  if (config.typeTest.enable) return {};
  return { typeTest: { enable: true, moode: "slow" } };
});
defineSystem({
  config: {
    typeTest: {
      // @ts-expect-error in a plain object
      moode: "slow",
    },
  },
});
defineSystem({
  // @ts-expect-error in the function of an object the error is at the function, and names the property
  config: () => ({ typeTest: { enable: true, moode: "slow" } }),
});
// @ts-expect-error definitions go under config
defineSystem({ typeTest: { enable: true } });
defineModule({
  // @ts-expect-error in a module
  config: () => ({ typeTest: { enable: true, moode: "slow" } }),
});
// @ts-expect-error an async module
defineModule({ config: async () => ({}) });
defineModule({
  config: ({
    config,
    // @ts-expect-error no such argument
    package: _package,
  }) => ({ typeTest: { enable: config.typeTest.enable } }),
});

// Shells have options of their own.
defineShell(() => ({ shellTypeTest: { tools: [somePackage] } }));
defineShell(() => ({
  // @ts-expect-error a system's option
  typeTest: { enable: true },
}));
defineShell(({ config }) => ({ shellTypeTest: { tools: config.shellTypeTest.tools } }));

// Declarations.
// @ts-expect-error a default of another type
option(types.bool, { default: "no" });
// @ts-expect-error a computed default of another type
option(types.bool, { default: () => "no" });
option(types.port, {
  default: 80,
  // @ts-expect-error no such attribute
  descripton: "…",
});
// @ts-expect-error not a type
option("string");
same<typeof types.port, OptionType<number>>(true);
void lib;

// Special arguments are known by their types: in the configuration itself by inference, in other modules by name.
const siteArguments = { site: "fra", ports: [80, 443] } as const;
declare module "tsos" {
  interface SpecialArguments {
    readonly tier: "basic" | "large";
  }
}
defineSystem({
  specialArgs: siteArguments,
  imports: ({ site, tier, lib, inputs }) => {
    same<typeof site, "fra">(true);
    same<typeof tier, "basic" | "large">(true);
    void inputs;
    return lib.optionals(tier === "large", [defineModule({})]);
  },
  config: ({ site, ports, config, tier }) => {
    same<typeof ports, readonly [80, 443]>(true);
    return { typeTest: { ports: [...ports], names: [site, tier], enable: config.typeTest.enable } };
  },
});
defineSystem({
  specialArgs: siteArguments,
  config: ({
    site,
    // @ts-expect-error no such argument
    nosuch,
  }) => ({ typeTest: { names: [site, String(nosuch)] } }),
});
defineModule({
  // @ts-expect-error what the configuration is, imports cannot depend on
  imports: ({ config: known }) => [known],
});
defineModule({ imports: ({ tier }) => (tier === "large" ? [defineModule({})] : []), config: ({ tier }) => ({ typeTest: { names: [tier] } }) });
defineShell({ specialArgs: siteArguments, imports: ({ site }) => (site === "fra" ? [] : []), config: ({ ports: [first] }) => ({ shellTypeTest: { tools: first === 80 ? [somePackage] : [] } }) });
// @ts-expect-error special arguments are given by configurations
defineModule({ specialArgs: siteArguments });

// The declared options, typed like the configuration.
defineSystem(({ options }) => {
  same<typeof options.typeTest.enable.value, boolean>(true);
  same<typeof options.typeTest.enable.isDefined, boolean>(true);
  same<typeof options.typeTest.count.value, number>(true);
  same<typeof options.typeTest.count.definitions, readonly string[]>(true);
  const prio: number = options.typeTest.hosts.highestPrio;
  const [first] = options.typeTest.ports.definitionsWithLocations;
  void [prio, first?.file, options.typeTest.mode.declarations, options.typeTest.mode.description, options.typeTest.mode.default, options.typeTest.mode.type];
  // @ts-expect-error a typo
  void options.typeTest.enabel;
  // @ts-expect-error no such attribute
  void options.typeTest.enable.isdefined;
  return { typeTest: { enable: options.networking.hostName.isDefined } };
});
option(types.submodule({ options: { a: option(types.str), b: option(types.bool, { default: false }) }, config: ({ options }) => ({ b: lib.mkDefault(options.a.isDefined) }) }));
defineShell(({ options }) => ({ shellTypeTest: { tools: options.shellTypeTest.tools.definitions.length > 1 ? [] : [somePackage] } }));
