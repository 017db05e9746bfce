import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/**
 * An OS root for container tests, made with the host's apt and kept in the temporary folder: `os-root/usr`, and
 * `node/bin/node` with its libraries. Undefined where the host has no apt or no mirror.
 */
export function findDebianOsRoot(): string | undefined {
  const folder = process.env["TSOS_TEST_OS_ROOT"] ?? join(tmpdir(), "tsos-test-os-root-trixie");
  if (existsSync(join(folder, "node/bin/node"))) return folder;
  try {
    build(folder);
    return folder;
  } catch (error) {
    console.error(`no OS root for container tests: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

const PACKAGES = "systemd systemd-sysv systemd-container dbus libpam-systemd libnss-systemd libpam-modules passwd openssh-server sudo nftables iproute2 tzdata procps libstdc++6".split(" ");

function build(folder: string): void {
  const work = `${folder}.work`;
  rmSync(work, { recursive: true, force: true });
  const state = join(work, "apt");
  for (const one of ["lists/partial", "cache/archives/partial", "etc/preferences.d"]) mkdirSync(join(state, one), { recursive: true });
  writeFileSync(join(state, "status"), "");
  writeFileSync(join(state, "etc/sources.list"), `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${findMirror()} trixie main\n`);
  const config = join(state, "apt.conf");
  writeFileSync(
    config,
    `Dir::State "${state}"; Dir::State::status "${state}/status"; Dir::Cache "${state}/cache"; Dir::Etc "${state}/etc"; Dir::Etc::sourceparts "/dev/null"; APT::Install-Recommends "false"; APT::Sandbox::User "root";`,
  );
  const apt = (...args: readonly string[]): string => execFileSync("apt-get", ["-q", "-y", ...args], { env: { ...process.env, APT_CONFIG: config }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  apt("update");
  const index = readdirSync(join(state, "lists")).find((name) => name.endsWith("_Packages"));
  if (index === undefined) throw new Error("the mirror has no index");
  const essential = readFileSync(join(state, "lists", index), "utf8")
    .split("\n\n")
    .filter((paragraph) => /^Essential: yes$/m.test(paragraph))
    .map((paragraph) => /^Package: (.*)$/m.exec(paragraph)![1]!);
  apt("--download-only", "install", ...essential, ...PACKAGES);
  const tree = join(work, "tree");
  mkdirSync(tree);
  const archives = join(state, "cache/archives");
  for (const deb of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    const data = execFileSync("dpkg-deb", ["--fsys-tarfile", join(archives, deb)], { maxBuffer: 1 << 30 });
    execFileSync("tar", ["-x", "-C", tree, "--keep-directory-symlink", "--no-same-owner"], { input: data });
  }
  mkdirSync(join(work, "out/os-root"), { recursive: true });
  renameSync(join(tree, "usr"), join(work, "out/os-root/usr"));
  cpSync(join(tree, "etc"), join(work, "out/debian-etc"), { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(work, "out/node/bin"), { recursive: true });
  copyFileSync(process.execPath, join(work, "out/node/bin/node"));
  chmodSync(join(work, "out/node/bin/node"), 0o755);
  if (!existsSync(join(work, "out/os-root/usr/bin/awk"))) symlinkSync("mawk", join(work, "out/os-root/usr/bin/awk"));
  rmSync(folder, { recursive: true, force: true });
  renameSync(join(work, "out"), folder);
  rmSync(work, { recursive: true, force: true });
  console.error(`made ${basename(folder)}`);
}

/** The first mirror in apt's own configuration. */
function findMirror(): string {
  for (const file of ["/etc/apt/sources.list", ...listFolder("/etc/apt/sources.list.d")]) {
    if (!existsSync(file)) continue;
    const match = /(?:^URIs:\s*|^deb\s+(?:\[[^\]]*\]\s+)?)(\S+\/debian)\/?(?:\s|$)/m.exec(readFileSync(file, "utf8"));
    if (match) return match[1]!;
  }
  throw new Error("apt's sources name no mirror");
}

function listFolder(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
