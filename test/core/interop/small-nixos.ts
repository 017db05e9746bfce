/** What a module system's `lib` has to modify definitions with, as attributes of a `rec` set. */
export const NIX_MODIFIERS = `  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkForce = mkOverride 50;
  mkDefault = mkOverride 1000;
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOrder = priority: content: { _type = "order"; inherit priority content; };
`;

/**
 * A tree with the parts of nixpkgs that a NixOS system needs, as small as can be: a module system that collects,
 * calls and merges as the large one does, three options, one package. By path.
 */
export const SMALL_NIXOS: Readonly<Record<string, string>> = {
  "default.nix": `{ system, config ? { }, overlays ? [ ] }:
let
  make = name: derivation { inherit name system; builder = "/bin/sh"; };
  base = { hello = make (if config.loud or false then "hello-loud" else "hello"); writeText = name: text: derivation { inherit name text system; builder = "/bin/sh"; }; lib = import ./lib; inherit system; };
in builtins.foldl' (set: overlay: set // overlay set set) base overlays
`,
  "lib/default.nix": `rec {
${NIX_MODIFIERS}  getName = drv: drv.name;
  inherit (builtins) attrNames concatStringsSep elem toJSON toString;
}
`,
  "nixos/lib/eval-config.nix": `{ system, modules, specialArgs ? { } }:
let
  lib = import ../../lib;
  evalModules = prefix: modules:
    let
      args = { inherit config options lib specialArgs; _prefix = prefix; _class = "nixos"; } // specialArgs;
      load = m:
        let
          file = if builtins.isPath m then toString m else "<unknown-file>";
          value = if builtins.isPath m then import m else m;
          wanted = builtins.functionArgs value;
          given = args // builtins.mapAttrs (name: _: builtins.addErrorContext "while evaluating the module argument \`\${name}' in \${file}" (args.\${name} or config._module.args.\${name})) wanted;
          body = if builtins.isFunction value then value given else value;
          file' = body._file or file;
        in [ { file = file'; defs = body.config or (removeAttrs body [ "imports" "_file" ]); } ] ++ builtins.concatMap load (body.imports or [ ]);
      loaded = builtins.concatMap load modules;
      options = {
        networking.hostName = { _type = "option"; type = { name = "str"; description = "string"; check = builtins.isString; nestedTypes = { }; }; description = "The name."; default = "nixos"; declarations = [ "small.nix" ]; };
        environment.text = { _type = "option"; type.description = "strings"; declarations = [ "small.nix" ]; };
        services.web.enable = { _type = "option"; type = { name = "bool"; description = "boolean"; check = builtins.isBool; nestedTypes = { }; }; default = false; declarations = [ "small.nix" ]; };
        environment.hosts = { _type = "option"; default = { }; declarations = [ "small.nix" ]; definitionsWithLocations = [ ]; type = {
          name = "attrsOf"; description = "attribute set of (submodule)"; check = builtins.isAttrs;
          nestedTypes.elemType = {
            name = "submodule"; description = "submodule"; check = builtins.isAttrs; nestedTypes.freeformType = { name = "anything"; description = "anything"; check = _: true; nestedTypes = { }; };
            getSubOptions = _: { mode = { _type = "option"; description = "How."; declarations = [ "small.nix" ]; type = {
              name = "nullOr"; description = ''null or one of "on", "off"''; check = x: x == null || builtins.elem x [ "on" "off" ];
              nestedTypes.elemType = { name = "enum"; description = ''one of "on", "off"''; check = x: builtins.elem x [ "on" "off" ]; nestedTypes = { }; functor.payload.values = [ "on" "off" ]; };
            }; }; };
          };
        }; };
        nixpkgs.config = { _type = "option"; default = { }; };
        nixpkgs.overlays = { _type = "option"; default = [ ]; };
      };
      # Each definition pushed down to its leaf, with its priority.
      discharge = priority: value:
        if value._type or null == "if" then (if value.condition then discharge priority value.content else [ ])
        else if value._type or null == "override" then discharge value.priority value.content
        else if value._type or null == "order" then discharge priority value.content
        else if value._type or null == "merge" then builtins.concatMap (discharge priority) value.contents
        else [ { inherit priority value; } ];
      at = path: definitions:
        if path == [ ] then definitions
        else at (builtins.tail path) (builtins.concatMap (d: if builtins.hasAttr (builtins.head path) d.value then discharge d.priority (builtins.getAttr (builtins.head path) d.value) else [ ]) definitions);
      top = builtins.concatMap (m: discharge 100 m.defs) loaded;
      strongest = definitions: let p = builtins.foldl' (a: d: if d.priority < a then d.priority else a) 2000 definitions; in map (d: d.value) (builtins.filter (d: d.priority == p) definitions);
      one = path: default: let found = strongest (at path top); in if found == [ ] then default else if builtins.length found == 1 then builtins.head found else throw "The option \`\${builtins.concatStringsSep "." path}' has conflicting definition values";
      config = {
        networking.hostName = one [ "networking" "hostName" ] "nixos";
        services.web.enable = one [ "services" "web" "enable" ] false;
        environment.hosts = one [ "environment" "hosts" ] { };
        environment.text = builtins.concatLists (strongest (at [ "environment" "text" ] top));
        variants = builtins.mapAttrs (name: m: (evalModules [ "variants" name ] (modules ++ [ m ])).config.system.build.toplevel) (if prefix == [ ] then one [ "variants" ] { } else { });
        _module.args = { inherit pkgs; utils = { double = x: x + x; }; };
        system.build.toplevel = derivation {
          name = "nixos-system-\${config.networking.hostName}"; inherit system; builder = "/bin/sh";
          text = config.environment.text; web = config.services.web.enable; variants = builtins.attrValues config.variants;
        };
      };
      pkgs = import ../.. { inherit system; config = one [ "nixpkgs" "config" ] { }; overlays = builtins.concatLists (strongest (at [ "nixpkgs" "overlays" ] top)); };
    in builtins.seq (builtins.length loaded) { inherit config options pkgs; };
in evalModules [ ] modules
`,
};
