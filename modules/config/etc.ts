import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  environment: {
    etc: option(
      types.attrsOf(
        types.submodule({
          options: {
            enable: option(types.bool, { default: true, description: "Whether the file is there." }),
            target: option(types.str, { default: ({ name }) => name, defaultText: "the attribute's name", description: "Its path below /etc." }),
            text: option(types.nullOr(types.lines), { default: null, description: "Its contents." }),
            source: option(types.nullOr(types.path), { default: null, description: "The file or folder that it shows, instead of `text`." }),
            mode: option(types.strMatching(/symlink|[0-7]{3,4}/), {
              default: "symlink",
              description: "`symlink` makes a link into the store; an octal mode makes a copy with that mode.",
              example: "0440",
            }),
            user: option(types.strMatching(/[A-Za-z_][A-Za-z0-9_.-]*\$?|\+?[0-9]+/), { default: "root", description: "The owner of a copy: a name or a number." }),
            group: option(types.strMatching(/[A-Za-z_][A-Za-z0-9_.-]*\$?|\+?[0-9]+/), { default: "root", description: "The group of a copy: a name or a number." }),
          },
        }),
      ),
      {
        default: {},
        description: "Files below /etc, by their path.",
        example: { "motd": { text: "Welcome\n" } },
      },
    ),
  },
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "config/etc": typeof options;
  }
}

/** What the activator writes itself, and the option that says what. */
const OWN_FILES: Readonly<Record<string, string>> = {
  passwd: "users.users", shadow: "users.users", group: "users.groups", gshadow: "users.groups",
  subuid: "users.users.<name>.autoSubUidGidRange", subgid: "users.users.<name>.autoSubUidGidRange",
  hostname: "networking.hostName", "locale.conf": "i18n.defaultLocale", localtime: "time.timeZone",
  "machine-id": "nothing: it is made once", static: "environment.etc itself",
};

export default defineModule({
  options,
  config: ({ config }) => {
    const files = Object.entries(config.environment.etc).filter(([, file]) => file.enable);
    const place = (name: string): string => `environment.etc.${JSON.stringify(name)}`;
    const byTarget = new Map<string, string>();
    const problems: string[] = [];
    for (const [name, file] of files) {
      const { target } = file;
      if (file.source === null && file.text === null) problems.push(`${place(name)} needs "text" or "source"`);
      if (file.source !== null && file.text !== null) problems.push(`${place(name)} has both "text" and "source"; to replace a module's text, set text = lib.mkForce(null) beside your source`);
      if (!isBelowEtc(target)) problems.push(`${place(name)}: ${JSON.stringify(target)} is not a path below /etc; write it relative and without "." or ".."`);
      if (Object.hasOwn(OWN_FILES, target)) problems.push(`${place(name)}: /etc/${target} is made at activation; it comes from ${OWN_FILES[target]!}`);
      const other = byTarget.get(target);
      if (other !== undefined) problems.push(`${place(other)} and ${place(name)} are both /etc/${target}`);
      byTarget.set(target, name);
      if (file.mode !== "symlink") {
        const { users, groups } = config.users;
        if (!/^\+?\d/.test(file.user) && !Object.values(users).some((user) => user.name === file.user)) problems.push(`${place(name)}.user: there is no user "${file.user}" in users.users`);
        if (!/^\+?\d/.test(file.group) && !Object.values(groups).some((group) => group.name === file.group)) problems.push(`${place(name)}.group: there is no group "${file.group}" in users.groups`);
      }
    }
    for (const [target, name] of byTarget) {
      for (let end = target.lastIndexOf("/"); end > 0; end = target.lastIndexOf("/", end - 1)) {
        const above = byTarget.get(target.slice(0, end));
        if (above === undefined) continue;
        const fix = target.startsWith("systemd/system/") ? "declare units in systemd.services and the like" : "a file or a link to a folder cannot hold others";
        problems.push(`${place(name)} lies below ${place(above)}; ${fix}`);
      }
    }
    return { assertions: problems.map((message) => ({ assertion: false, message })) };
  },
});

function isBelowEtc(target: string): boolean {
  return target !== "" && !/[\n\0]/.test(target) && target.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
