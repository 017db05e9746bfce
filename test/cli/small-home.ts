import { SMALL_NIXOS } from "../core/interop/small-nixos.ts";

/** An activation script with the interface of home-manager's: it links the files, drops links of what was active before, and says what is now. */
const ACTIVATE = `#!/bin/sh
set -eu
gen=\${0%/activate}
current="\${XDG_STATE_HOME:-$HOME/.local/state}/home-manager/gcroots/current-home"
[ "$*" = "--driver-version 1" ] || { echo "unexpected arguments: $*" >&2; exit 2; }
[ "$USER" = "@user@" ] || { echo "USER is $USER" >&2; exit 1; }
files() { (cd "$1/home-files" && find . -type f); }
if [ -n "\${DRY_RUN-}" ]; then echo "would link $(files "$gen")"; exit 0; fi
if old=$(readlink "$current") && [ -d "$old" ]; then
  for f in $(files "$old"); do [ -e "$gen/home-files/$f" ] || rm -f "$HOME/$f"; done
fi
for f in $(files "$gen"); do mkdir -p "$(dirname "$HOME/$f")"; ln -sfn "$gen/home-files/$f" "$HOME/$f"; done
@activation@
nix-store --realise "$gen" --add-root "$current" > /dev/null
`;

/** What stands in the place of nixpkgs and home-manager, as small as can be, by path. */
export const SMALL_HOME: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(SMALL_NIXOS).map(([name, text]) => [`nixpkgs/${name}`, text])),
  "home-manager/modules/activate.sh": ACTIVATE,
  "home-manager/modules/default.nix": `{ configuration, pkgs, lib, extraSpecialArgs }:
let
  option = description: { _type = "option"; inherit description; type = { name = "anything"; description = "anything"; check = _: true; nestedTypes = { }; }; declarations = [ "home-environment.nix" ]; definitionsWithLocations = [ ]; };
  options.home = builtins.mapAttrs (name: option) { username = "Whose it is."; homeDirectory = "Where it is."; packages = "What it has."; file = "What is linked."; };
  evalModules = prefix: modules:
    let
      args = { inherit config options lib pkgs; _prefix = prefix; specialArgs = extraSpecialArgs; _class = "homeManager"; modulesPath = toString ./.; } // extraSpecialArgs;
      load = m:
        let
          value = if builtins.isPath m || builtins.isString m then import m else m;
          body = if builtins.isFunction value then value (args // builtins.mapAttrs (name: _: args.\${name}) (builtins.functionArgs value)) else value;
        in [ (body.config or (removeAttrs body [ "imports" "_file" ])) ] ++ builtins.concatMap load (body.imports or [ ]);
      merge = a: b:
        if builtins.isAttrs a && builtins.isAttrs b && !(a ? outPath) then a // builtins.mapAttrs (name: value: if a ? \${name} then merge a.\${name} value else value) b
        else if builtins.isList a then a ++ b
        else if a == b then a else throw "The option has conflicting definition values";
      loaded = builtins.concatMap load modules;
      merged = builtins.foldl' merge { home = { packages = [ ]; file = { }; activation = { }; }; specialisation = { }; } loaded;
      variants = if prefix != [ ] then { } else builtins.mapAttrs (name: more: (evalModules [ "specialisation" name ] (modules ++ [ more ])).config.home.activationPackage) merged.specialisation;
      link = path: target: { kind = "symlink"; inherit path target; };
      file = path: contents: { kind = "file"; inherit path contents; };
      each = f: set: builtins.attrValues (builtins.mapAttrs f set);
      commands = builtins.concatStringsSep "\\n" (each (name: command: command.data) merged.home.activation);
      config = merged // {
        _module.args = { inherit pkgs; };
        home = merged.home // {
          activationPackage = derivation {
            name = "home-manager-generation"; system = "builtin"; builder = "builtin:write-tree";
            entries = builtins.toJSON ([
              (file "activate" (builtins.replaceStrings [ "@user@" "@activation@" ] [ merged.home.username commands ] (builtins.readFile ./activate.sh)) // { executable = true; })
              (file "hm-version" "26.11\\n") (file "gen-version" "1\\n") (file "packages" (builtins.concatStringsSep " " (map (p: p.name) merged.home.packages)))
            ] ++ each (name: { text }: file "home-files/\${name}" text) merged.home.file ++ each (name: link "specialisation/\${name}") variants);
          };
        };
      };
    in builtins.seq (builtins.length loaded) { inherit config options pkgs; };
  result = evalModules [ ] [ configuration ];
in if !(result.config.home ? username) then throw "Failed assertions: no home.username" else result // { inherit (result.config.home) activationPackage; }
`,
  "home-manager/lib/default.nix": `{ lib }: {
  homeManagerConfiguration = { pkgs, lib ? pkgs.lib, modules ? [ ], extraSpecialArgs ? { }, check ? true }:
    import ../modules { inherit pkgs extraSpecialArgs; lib = lib // { hm.dag.entryAfter = after: data: { inherit after data; }; }; configuration = { imports = modules; }; };
}
`,
};
