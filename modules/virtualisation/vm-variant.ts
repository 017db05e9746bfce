/** The machine as it is tried out. NixOS: nixos/modules/virtualisation/build-vm.nix */
import { defineModule, defineOptions, lib, option, types, variantType, type Module, type ModuleExtension, type Option, type VariantDefinition } from "../../core/index.ts";

// Its type is written: to infer it, the type checker would have to know all definitions, which it is one of.
const vmVariant: Option<Module, VariantDefinition> = option(variantType, {
  default: {},
  visible: "shallow",
  description: "What the machine that `tsos machine` boots has besides this configuration: a password to log in with, checks left out. `lib.mkVMOverride` replaces any value, one of `lib.mkForce` too.",
  example: { users: { users: { root: { hashedPassword: "" } } } },
});

const options = defineOptions({
  virtualisation: {
    /** What `tsos machine` boots besides the configuration. */
    vmVariant,
    /** Whether this is the machine that `tsos machine` boots. */
    isVmVariant: option(types.bool, { default: false, internal: true, description: "Whether this is the machine that `tsos machine` boots." }),
  },
  system: {
    build: {
      vm: option(types.nullOr(types.package), { default: null, internal: true, description: "The toplevel that `tsos machine` boots; null: the machine's own." }),
    },
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "virtualisation/vm-variant": typeof options;
  }
}

const variantModule = defineModule({ key: "virtualisation/vm-variant/child", config: () => ({ virtualisation: { isVmVariant: lib.mkForce(true) } }) });

/** What the machine that is tried out is of, beside the configuration. */
export function vmVariantModules(vmVariant: Module): ModuleExtension {
  return { modules: [variantModule, vmVariant] };
}

export default defineModule({
  key: "virtualisation/vm-variant",
  options,
  config: ({ config, options: declared, extendModules }) => {
    if (config.virtualisation.isVmVariant) return {};
    // Where nobody defines a variant it is the machine itself, and nothing is evaluated twice.
    if (declared.virtualisation.vmVariant.highestPrio >= 1500) return {};
    const variant = extendModules(vmVariantModules(config.virtualisation.vmVariant));
    return {
      assertions: variant.assertions.map(({ assertion, message }) => ({ assertion, message: `virtualisation.vmVariant: ${message}` })),
      system: { build: { vm: variant.config.system.build.toplevel } },
    };
  },
});
