import { defineModule, defineOptions, option, types } from "../../../core/index.ts";

const entry = types.submodule({
  options: {
    mode: option(types.singleLineStr, { default: "-", description: "The mode, octal; `-` is the usual one.", example: "0750" }),
    user: option(types.singleLineStr, { default: "-", description: "The owner; `-` is root." }),
    group: option(types.singleLineStr, { default: "-", description: "The group; `-` is root." }),
    age: option(types.singleLineStr, { default: "-", description: "How old something inside may get before it is removed; `-` keeps it.", example: "10d" }),
    argument: option(types.str, { default: "", description: "What the type needs besides: a link's target, a file's text." }),
  },
});

const options = defineOptions({
  systemd: {
    tmpfiles: {
      rules: option(types.listOf(types.singleLineStr), {
        default: [],
        description: "Lines of tmpfiles.d(5): files and folders made, cleaned and removed.",
        example: ["d /var/cache/app 0750 app app 10d -"],
      }),
      settings: option(types.attrsOf(types.attrsOf(types.attrsOf(entry))), {
        default: {},
        description: "The same as values: by the name of a file in /etc/tmpfiles.d, by path, by the line's type.",
        example: { "10-app": { "/var/cache/app": { d: { mode: "0750", user: "app", group: "app", age: "10d" } } } },
      }),
      lines: option(types.listOf(types.str), { internal: true, readOnly: true, description: "All lines, in the order in which they are applied." }),
    },
  },
});

declare module "../../../core/option/registry.ts" {
  interface OptionModules {
    "system/systemd/tmpfiles": typeof options;
  }
}

type Entry = { readonly mode: string; readonly user: string; readonly group: string; readonly age: string; readonly argument: string };

/** tmpfiles.d(5): fields are separated by blanks, quoted ones may hold them. The argument is the rest of the line. */
function tmpfilesLine(path: string, type: string, { mode, user, group, age, argument }: Entry): string {
  const quoted = [type, path, mode, user, group, age].map((field) => `'${field.replace(/[\\']/g, "\\$&")}'`);
  const rest = argument.replace(/[\t\n\r \\]/g, (character) => ({ "\t": "\\t", "\n": "\\n", "\r": "\\r", " ": "\\x20", "\\": "\\\\" })[character]!);
  return [...quoted, ...(rest === "" ? [] : [rest])].join(" ");
}

const TYPE = /^[fFwdDevqQpLcbCxXrRzZtThHaAmn][+!=~^$?-]*$/;

export default defineModule({
  options,
  config: ({ config }) => {
    const { rules, settings } = config.systemd.tmpfiles;
    const files = Object.entries(settings).map(([file, paths]) => ({
      file,
      lines: Object.entries(paths).flatMap(([path, types]) => Object.entries(types).map(([type, one]) => tmpfilesLine(path, type, one))),
    }));
    return {
      systemd: { tmpfiles: { lines: [...rules, ...files.flatMap(({ lines }) => lines)] } },
      environment: {
        etc: {
          "tmpfiles.d/00-tsos.conf": { text: rules.map((rule) => `${rule}\n`).join("") },
          ...Object.fromEntries(files.map(({ file, lines }) => [`tmpfiles.d/${file}.conf`, { text: lines.map((line) => `${line}\n`).join("") }])),
        },
      },
      assertions: [
        ...rules
          .filter((rule) => !/^\s*(#|$)/.test(rule))
          .map((rule) => {
            const [type = "", path = ""] = rule.trim().split(/\s+/).map((field) => field.replace(/^(["'])(.*)\1$/, "$2"));
            return { assertion: TYPE.test(type) && /^["']?[/%]/.test(path), message: `systemd.tmpfiles.rules: "${rule}" is no line of tmpfiles.d(5); it is "TYPE PATH MODE USER GROUP AGE ARGUMENT", such as "d /var/cache/app 0750 app app 10d -"` };
          }),
        ...Object.entries(settings).flatMap(([file, paths]) => [
          { assertion: /^[A-Za-z0-9_.@-]+$/.test(file) && !file.endsWith(".conf") && file !== "00-tsos", message: `systemd.tmpfiles.settings."${file}": this cannot be the name of a file in /etc/tmpfiles.d; write it without ".conf"${file === "00-tsos" ? ', and not "00-tsos", which holds systemd.tmpfiles.rules' : ""}` },
          ...Object.entries(paths).flatMap(([path, types]) => [
            { assertion: /^[/%]/.test(path), message: `systemd.tmpfiles.settings."${file}"."${path}": the path is not absolute` },
            ...Object.keys(types).map((type) => ({ assertion: TYPE.test(type), message: `systemd.tmpfiles.settings."${file}"."${path}"."${type}": "${type}" is no type of tmpfiles.d(5), such as "d" or "L+"` })),
          ]),
        ]),
      ],
    };
  },
});
