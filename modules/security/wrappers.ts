import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  security: {
    wrappers: option(
      types.attrsOf(
        types.submodule({
          options: {
            source: option(types.str, { description: "The program that the wrapper is a copy of.", example: "/usr/bin/sudo" }),
            owner: option(types.str, { default: "root", description: "The wrapper's owner." }),
            group: option(types.str, { default: "root", description: "The wrapper's group." }),
            setuid: option(types.bool, { default: false, description: "Whether it runs as its owner." }),
            setgid: option(types.bool, { default: false, description: "Whether it runs as its group." }),
            permissions: option(types.strMatching(/^[ugoa]*[-+=][rwx]*(,[ugoa]*[-+=][rwx]*)*$/), { default: "u+rx,g+x,o+x", description: "Its other permissions, as of chmod." }),
          },
        }),
      ),
      {
        default: {},
        description: "Programs in /run/wrappers/bin with set-user-id or set-group-id bits, which no store path can have.",
        example: { ping: { source: "/usr/bin/ping", setuid: true } },
      },
    ),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "security/wrappers": typeof options;
  }
}

export default defineModule({
  options,
  config: ({ config }) => ({
    security: {
      wrappers: Object.fromEntries(["su", "passwd", "newgrp", "chsh", "mount", "umount"].map((name) => [name, { source: `/usr/bin/${name}`, setuid: true }])),
    },
    assertions: Object.entries(config.security.wrappers).map(([name, wrapper]) => ({
      assertion: !name.includes("/") && wrapper.source.startsWith("/"),
      message: `security.wrappers."${name}": the name is a file's name, and "source" an absolute path`,
    })),
  }),
});
