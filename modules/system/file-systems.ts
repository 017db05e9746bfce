import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  fileSystems: option(
    types.attrsOf(
      types.submodule({
        options: {
          mountPoint: option(types.nullOr(types.str), { default: null, description: "Where it is mounted, where that is not the attribute's name." }),
          device: option(types.nullOr(types.str), { default: null, description: "The device, or what takes its place.", example: "/dev/disk/by-label/data" }),
          label: option(types.nullOr(types.str), { default: null, description: "The file system's label, instead of `device`." }),
          fsType: option(types.nonEmptyStr, { default: "auto", description: "The file system.", example: "ext4" }),
          options: option(types.nonEmptyListOf(types.str), { default: ["defaults"], description: "Mount options.", example: ["noatime"] }),
          noCheck: option(types.bool, { default: false, description: "Whether it is not checked at boot." }),
          neededForBoot: option(types.bool, { default: false, description: "Whether it is mounted before services start." }),
        },
      }),
    ),
    { default: {}, description: "File systems that are mounted, by mount point.", example: { "/data": { device: "/dev/vdb", fsType: "ext4" } } },
  ),
  swapDevices: option(
    types.listOf(types.submodule({ options: { device: option(types.str, { description: "The device or file." }), options: option(types.listOf(types.str), { default: ["defaults"], description: "Options of swapon." }) } })),
    { default: [], description: "Devices and files to swap on." },
  ),
});

declare module "../../core/option/registry.ts" {
  interface OptionModules {
    "system/file-systems": typeof options;
  }
}

/** fstab(5): white space is written in octal. */
function field(text: string): string {
  return text.replace(/[\s\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

export default defineModule({
  options,
  config: ({ config }) => {
    const mounts = Object.entries(config.fileSystems).map(([name, fs]) => ({ ...fs, name, where: fs.mountPoint ?? name }));
    // A folder is mounted before those below it.
    const sorted = mounts.sort((a, b) => (a.where < b.where ? -1 : 1));
    const lines = [
      ...sorted.map((fs) => {
        const device = fs.device ?? (fs.label === null ? fs.fsType : `LABEL=${fs.label}`);
        const flags = [...fs.options, ...(fs.neededForBoot ? ["x-initrd.mount"] : [])];
        return [device, fs.where, fs.fsType, flags.join(","), "0", fs.noCheck ? "0" : fs.where === "/" ? "1" : "2"].map(field).join(" ");
      }),
      ...config.swapDevices.map((swap) => [swap.device, "none", "swap", swap.options.join(","), "0", "0"].map(field).join(" ")),
    ];
    return {
      environment: { etc: { fstab: { text: lines.map((line) => `${line}\n`).join("") } } },
      assertions: mounts.flatMap((fs) => [
        { assertion: fs.where.startsWith("/"), message: `fileSystems."${fs.name}": the mount point "${fs.where}" is not an absolute path` },
        { assertion: fs.device === null || fs.label === null, message: `fileSystems."${fs.name}" has both "device" and "label"` },
      ]),
    };
  },
});
