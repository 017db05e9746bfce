import { NIX_MODIFIERS } from "../core/interop/small-nixos.ts";

/**
 * A tree for the examples of the documentation: it has any package by a few names, and a module system that takes any
 * option, merges as NixOS' types do, and whose toplevel holds all of the configuration. By path.
 */
export const NIXPKGS_OF_DOCS: Readonly<Record<string, string>> = {
  "default.nix": `{ system ? "x86_64-linux", config ? { }, overlays ? [ ] }:
let
  lib = import ./lib;
  drv = name: text: derivation { inherit name text system; builder = "/bin/sh"; };
  make = args@{ pname, version ? "1.0", ... }:
    let
      refuse = config.allowUnfree or false || !(args.unfree or false);
      made = if refuse then derivation (removeAttrs args [ "unfree" ] // { name = pname + "-" + version; inherit system; builder = "/bin/sh"; }) else throw "\${pname} has an unfree license; config.allowUnfree lets it be used";
    in made // { inherit pname version; overrideAttrs = f: make (args // (if builtins.isFunction f then f args else f)); override = more: make (args // more); meta.mainProgram = pname; };
  names = [ "bash" "black" "coreutils" "curl" "gcc" "git" "gnumake" "go" "gopls" "hello" "htop" "jq" "neovim" "nodejs" "openssh" "postgresql" "redis" "ripgrep" "rsync" "vim" ];
  base = self: builtins.listToAttrs (map (name: { inherit name; value = make { pname = name; }; }) names) // {
    inherit lib system config;
    vscode = make { pname = "vscode"; unfree = true; };
    ffmpeg = make { pname = "ffmpeg"; withX264 = false; };
    writeText = drv;
    writeShellScriptBin = drv;
    symlinkJoin = { name, paths }: derivation { inherit name paths system; builder = "/bin/sh"; };
    python3 = make { pname = "python3"; } // { withPackages = f: derivation { name = "python3-env"; paths = f { requests = make { pname = "requests"; }; flask = make { pname = "flask"; }; }; inherit system; builder = "/bin/sh"; }; };
    mkShell = args: derivation ({ name = "nix-shell"; inherit system; builder = "/bin/sh"; } // args);
  };
  extended = builtins.foldl' (below: overlay: self: let super = below self; in super // overlay self super) base overlays;
  packages = extended packages;
in packages
`,
  "lib/default.nix": `rec {
${NIX_MODIFIERS}  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  mkOption = args: args // { _type = "option"; };
  mkEnableOption = name: mkOption { default = false; description = "Whether to enable \${name}."; };
  types = { bool = { }; str = { }; port = { }; int = { }; listOf = of: { }; attrsOf = of: { }; nullOr = of: { }; };
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  optionalString = condition: text: if condition then text else "";
  optionalAttrs = condition: set: if condition then set else { };
  mergeAttrs = a: b: a // b;
  nameValuePair = name: value: { inherit name value; };
  genAttrs = names: f: builtins.listToAttrs (map (name: nameValuePair name (f name)) names);
  mapAttrs' = f: set: builtins.listToAttrs (map (name: f name set.\${name}) (builtins.attrNames set));
  mapAttrsToList = f: set: map (name: f name set.\${name}) (builtins.attrNames set);
  concatStrings = builtins.concatStringsSep "";
  concatMapStringsSep = separator: f: list: builtins.concatStringsSep separator (map f list);
  escapeShellArg = text: "'\${text}'";
  inherit (builtins) attrNames attrValues concatLists concatMap concatStringsSep filter getAttr head length listToAttrs map mapAttrs removeAttrs toJSON toString;
}
`,
  "nixos/lib/eval-config.nix": `{ system, modules, specialArgs ? { } }:
let
  lib = import ../../lib;
  isSet = value: builtins.isAttrs value && !(value ? outPath) && !(value ? __toString);
  args = { inherit config options lib specialArgs; _prefix = [ ]; _class = "nixos"; modulesPath = toString ../modules; } // specialArgs;
  load = m:
    let
      value = if builtins.isPath m || builtins.isString m then import m else m;
      given = args // builtins.mapAttrs (name: _: args.\${name} or config._module.args.\${name}) (builtins.functionArgs value);
      body = if builtins.isFunction value then value given else value;
      own = removeAttrs body [ "imports" "_file" "options" ];
    in [ { options = body.options or { }; definitions = body.config or own; } ] ++ builtins.concatMap load (body.imports or [ ]);
  loaded = builtins.concatMap load ([ { options.networking.hostName = lib.mkOption { default = "nixos"; }; } ] ++ modules);
  options = { };
  defaults = declared: builtins.mapAttrs (_: one: if one._type or "" == "option" then (if one ? default then lib.mkOverride 1500 one.default else lib.mkMerge [ ]) else defaults one) declared;
  discharge = d:
    let type = if builtins.isAttrs d.value then d.value._type or "" else ""; in
    if type == "if" then (if d.value.condition then discharge (d // { value = d.value.content; }) else [ ])
    else if type == "override" then discharge (d // { inherit (d.value) priority; value = d.value.content; })
    else if type == "order" then discharge (d // { order = d.value.priority; value = d.value.content; })
    else if type == "merge" then builtins.concatMap (value: discharge (d // { inherit value; })) d.value.contents
    else [ d ];
  merge = path: definitions:
    let
      strength = builtins.foldl' (least: d: if d.priority < least then d.priority else least) 9999 definitions;
      strongest = builtins.sort (a: b: a.order < b.order) (builtins.filter (d: d.priority == strength) definitions);
      first = (builtins.head strongest).value;
      names = builtins.foldl' (all: d: all // builtins.mapAttrs (_: _: null) d.value) { } definitions;
      at = name: builtins.concatMap (d: if d.value ? \${name} then discharge (d // { value = d.value.\${name}; }) else [ ]) definitions;
    in
    if definitions == [ ] then null
    else if builtins.all (d: isSet d.value) definitions then builtins.mapAttrs (name: _: merge (path ++ [ name ]) (at name)) names
    else if builtins.isList first then builtins.concatMap (d: d.value) strongest
    else if path != [ ] && builtins.elem (builtins.elemAt path (builtins.length path - 1)) [ "script" "text" "extraConfig" ] then builtins.concatStringsSep "\\n" (map (d: d.value) strongest)
    # A function is not equal to itself.
    else if builtins.length strongest == 1 || builtins.all (d: d.value == first) strongest then first
    else throw "The option \`\${builtins.concatStringsSep "." path}' has conflicting definition values";
  # What stands around a whole module goes to its parts, so that their names are known before its condition is.
  spread = value:
    let type = if builtins.isAttrs value then value._type or "" else ""; in
    if type == "if" then map (builtins.mapAttrs (_: lib.mkIf value.condition)) (spread value.content)
    else if type == "override" then map (builtins.mapAttrs (_: lib.mkOverride value.priority)) (spread value.content)
    else if type == "merge" then builtins.concatMap spread value.contents
    else [ value ];
  start = value: map (value: { inherit value; priority = 100; order = 1000; }) (spread value);
  merged = merge [ ] (builtins.concatMap (m: start (defaults m.options) ++ start m.definitions) loaded);
  pkgs = import ../.. { inherit system; config = merged.nixpkgs.config or { }; overlays = merged.nixpkgs.overlays or [ ]; };
  config = merged // {
    _module.args = { inherit pkgs; };
    system = merged.system or { } // {
      build.toplevel = derivation {
        name = "nixos-system-\${merged.networking.hostName or "nixos"}"; inherit system; builder = "/bin/sh";
        config = builtins.toJSON (removeAttrs merged [ "nixpkgs" ]);
      };
    };
  };
in { inherit config options pkgs; }
`,
  "nixos/modules/profiles/minimal.nix": "{ documentation.enable = false; }\n",
};
