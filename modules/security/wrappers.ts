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
      wrappers: Object.fromEntries(["chfn", "chsh", "gpasswd", "mount", "newgrp", "passwd", "su", "umount"].map((name) => [name, { source: `/usr/bin/${name}`, setuid: true }])),
    },
    assertions: Object.entries(config.security.wrappers).flatMap(([name, wrapper]) => {
      const place = `security.wrappers.${JSON.stringify(name)}`;
      const { users, groups } = config.users;
      return [
        { assertion: name !== "" && !/[/\n\0]/.test(name) && name !== "." && name !== "..", message: `${place}: the name is a file's name` },
        { assertion: wrapper.source.startsWith("/"), message: `${place}.source: "${wrapper.source}" is not an absolute path` },
        { assertion: Object.values(users).some((user) => user.name === wrapper.owner), message: `${place}.owner: there is no user "${wrapper.owner}" in users.users` },
        { assertion: Object.values(groups).some((group) => group.name === wrapper.group), message: `${place}.group: there is no group "${wrapper.group}" in users.groups` },
      ];
    }),
  }),
});
