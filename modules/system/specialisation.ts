/** Variants of a machine that belong to its generation. NixOS: nixos/modules/system/activation/specialisation.nix */
import { defineModule, defineOptions, lib, option, types, TsosError, variantType, type Config, type Module, type ModuleExtension, type Option, type Package, type VariantDefinition } from "../../core/index.ts";

// Its type is written: to infer it, the type checker would have to know all definitions, which it is one of.
const configuration: Option<Module, VariantDefinition> = option(variantType, { default: {}, visible: "shallow", description: "What the variant has besides this configuration; `lib.mkForce` replaces a value of it." });

const options = defineOptions({
  /** Variants of this machine that a generation holds beside itself, by name. */
  specialisation: option(
    types.attrsOf(
      types.submodule({
        options: {
          /** Whether the variant is this configuration and what `configuration` adds, or `configuration` alone. */
          inheritParentConfig: option(types.bool, { default: true, description: "Whether the variant is this configuration and what `configuration` adds, or `configuration` alone." }),
          /** What the variant has besides, or instead. */
          configuration,
        },
      }),
    ),
    {
      default: {},
      description: "Variants of this machine that a generation holds beside itself: `tsos switch --specialisation NAME` goes to one without evaluating or building anything.",
      example: { maintenance: { configuration: { services: { nginx: { enable: false } } } } },
    },
  ),
  system: {
    build: { specialisations: option(types.attrsOf(types.package), { default: {}, internal: true, description: "The toplevels of the variants." }) },
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "system/specialisation": typeof options;
  }
}

// A variant has none itself.
const childModule = defineModule({ key: "system/specialisation/child", config: () => ({ specialisation: lib.mkOverride(0, {}) }) });

/** What a variant is of, beside this configuration or in place of it. */
export function specialisationModules({ configuration, inheritParentConfig }: Config["specialisation"][string]): ModuleExtension {
  return { modules: [childModule, configuration], withoutUserModules: !inheritParentConfig };
}

export default defineModule({
  key: "system/specialisation",
  options,
  // Reads nothing but the variants and what is told of the configuration; each variant is evaluated once.
  config: ({ config, extendModules }) => {
    const names = Object.keys(config.specialisation);
    if (names.length === 0) return {};
    const toplevels: Record<string, Package> = {};
    const assertions: { assertion: boolean; message: string }[] = [];
    const warnings: string[] = [];
    const errors: TsosError[] = [];
    for (const name of names) {
      assertions.push({ assertion: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name), message: `the specialisation "${name}" needs another name: letters, digits, ".", "_" and "-"` });
      let variant;
      try {
        variant = extendModules({ ...specialisationModules(config.specialisation[name]!), label: `specialisation "${name}"` });
        // It is evaluated when it is first read.
        void variant.config;
      } catch (error) {
        // What is wrong with the others is looked for, too.
        if (!(error instanceof TsosError)) throw error;
        errors.push(error);
        continue;
      }
      // What is told of the configuration itself is not told again of each variant of it.
      const known = new Set([...config.warnings, ...config.assertions.filter(({ assertion }) => !assertion).map(({ message }) => message)]);
      assertions.push(...variant.assertions.filter(({ message }) => !known.has(message)).map(({ assertion, message }) => ({ assertion, message: `specialisation "${name}": ${message}` })));
      warnings.push(...variant.warnings.filter((warning) => !known.has(warning)).map((warning) => `specialisation "${name}": ${warning}`));
      if (assertions.every(({ assertion }) => assertion)) toplevels[name] = variant.config.system.build.toplevel;
    }
    if (errors.length > 0) throw new AggregateError(errors);
    return { assertions, warnings, system: { build: { specialisations: toplevels } } };
  },
});
