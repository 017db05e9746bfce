import { defineHelper, type Package } from "../../core/index.ts";
import { npmSeed } from "../seeds/seeds.ts";

export type NpmPackage = {
  readonly pname: string;
  readonly version: string;
  /** Its name in the lock of seeds. */
  readonly seed: string;
};

/** The folder of an npm package of the lock, as npm would unpack it. */
export const unpackNpm = defineHelper(({ pkgs, createPackage }) => (name: string, options: { readonly prune?: readonly string[] } = {}): Package => {
  const seed = npmSeed(name);
  return createPackage({ name: `${name}-${seed.version}-unpacked`, src: pkgs.fetchurl({ url: seed.url, hash: seed.integrity }), bin: seed.bin, ...options }, (attributes) => ({
    name: String(attributes.name),
    system: "builtin",
    builder: "builtin:unpack-npm",
    src: attributes.src,
    bin: JSON.stringify(attributes["bin"]),
    prune: attributes["prune"] === undefined ? undefined : JSON.stringify(attributes["prune"]),
    preferLocalBuild: true,
  }));
});

/** A program of npm that is JavaScript alone, without dependencies: its `bin` starts it with the store's Node. */
export const npmPackage = defineHelper(({ pkgs }) => ({ pname, version, seed }: NpmPackage): Package => {
  const folder = pkgs.unpackNpm(seed);
  return pkgs.writeTree(`${pname}-${version}`, [
    { kind: "symlink", path: `lib/node_modules/${pname}`, target: folder.outPath },
    ...Object.entries(npmSeed(seed).bin).map(([program, path]) => ({
      kind: "file" as const,
      path: `bin/${program}`,
      executable: true,
      contents: `#!${pkgs.bash}/bin/bash\nexec ${pkgs.nodejs}/bin/node ${folder}/${path} "$@"\n`,
    })),
  ]);
});
