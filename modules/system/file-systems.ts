import { defineModule, defineOptions, option, types } from "../../core/index.ts";

const options = defineOptions({
  fileSystems: option(
    types.attrsOf(
      types.submodule({
        options: {
          mountPoint: option(types.str, { default: ({ name }) => name, defaultText: "the attribute's name", description: "Where it is mounted." }),
          device: option(types.nullOr(types.nonEmptyStr), { default: null, description: "The device, or what takes its place.", example: "/dev/disk/by-label/data" }),
          label: option(types.nullOr(types.nonEmptyStr), { default: null, description: "The file system's label, instead of `device`." }),
          fsType: option(types.strMatching(/[^\s,]+/), { default: "auto", description: "The file system.", example: "ext4" }),
          options: option(types.nonEmptyListOf(types.strMatching(/[^\n]+/)), { default: ["defaults"], description: "Mount options.", example: ["noatime"] }),
          noCheck: option(types.bool, { default: false, description: "Whether it is not checked at boot." }),
          depends: option(types.listOf(types.path), { default: [], description: "Mount points that are mounted before it.", example: ["/data"] }),
          autoFormat: option(types.bool, { default: false, description: "Whether the device is formatted at boot if nothing is on it." }),
          autoResize: option(types.bool, { default: false, description: "Whether the file system grows to its device's size when it is mounted." }),
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
  return text.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** What needs no device, whose place the type's name takes. */
const WITHOUT_DEVICE = new Set(["tmpfs", "ramfs", "proc", "sysfs", "devtmpfs", "devpts", "overlay", "cgroup2", "debugfs", "tracefs", "securityfs", "configfs", "efivarfs", "hugetlbfs", "mqueue", "bpf", "fusectl"]);

/** What fsck has nothing to do with: no device, another machine's, or checked by the kernel itself. */
const WITHOUT_CHECK = new Set([...WITHOUT_DEVICE, "none", "auto", "btrfs", "xfs", "zfs", "bcachefs", "f2fs", "nfs", "nfs4", "cifs", "9p", "virtiofs", "ceph", "squashfs", "erofs", "iso9660", "ntfs", "ntfs3", "fuse", "swap"]);

export default defineModule({
  options,
  config: ({ config }) => {
    const mounts = Object.entries(config.fileSystems).map(([name, fs]) => ({ ...fs, name, where: fs.mountPoint }));
    // A folder is mounted before those below it.
    const sorted = [...mounts].sort((a, b) => (a.where < b.where ? -1 : 1));
    const lines = [
      ...sorted.map((fs) => {
        const device = fs.device ?? (fs.label === null ? fs.fsType : `LABEL=${fs.label}`);
        const flags = [
          ...fs.options,
          ...(fs.autoFormat ? ["x-systemd.makefs"] : []),
          ...(fs.autoResize ? ["x-systemd.growfs"] : []),
          ...(fs.neededForBoot ? ["x-initrd.mount"] : []),
          ...fs.depends.map((other) => `x-systemd.requires-mounts-for=${other}`),
        ];
        const isChecked = !fs.noCheck && !WITHOUT_CHECK.has(fs.fsType) && !fs.fsType.startsWith("fuse.") && !fs.options.includes("bind");
        return [device, fs.where, fs.fsType, flags.join(","), "0", !isChecked ? "0" : fs.where === "/" ? "1" : "2"].map(field).join(" ");
      }),
      ...config.swapDevices.map((swap) => [swap.device, "none", "swap", swap.options.join(","), "0", "0"].map(field).join(" ")),
    ];
    const byPlace = new Map<string, string>();
    return {
      environment: { etc: { fstab: { text: lines.map((line) => `${line}\n`).join("") } } },
      assertions: mounts.flatMap((fs) => {
        const place = `fileSystems.${JSON.stringify(fs.name)}`;
        const other = byPlace.get(fs.where);
        byPlace.set(fs.where, fs.name);
        return [
          { assertion: fs.where.startsWith("/"), message: `${place}: the mount point "${fs.where}" is not an absolute path` },
          { assertion: !fs.where.startsWith("/") || fs.where === "/" || !/\/$|\/\/|\/\.\.?(\/|$)|\n/.test(fs.where), message: `${place}: write the mount point "${fs.where}" without "//", ".", ".." or a slash at its end` },
          { assertion: other === undefined, message: `${place} and fileSystems.${JSON.stringify(other)} are both mounted on "${fs.where}"` },
          { assertion: fs.device === null || fs.label === null, message: `${place} has both "device" and "label"` },
          { assertion: fs.device !== null || fs.label !== null || WITHOUT_DEVICE.has(fs.fsType), message: `${place} needs "device" or "label"` },
          { assertion: !fs.autoFormat || fs.fsType !== "auto", message: `${place}: autoFormat needs fsType, such as "ext4"` },
        ];
      }),
    };
  },
});
