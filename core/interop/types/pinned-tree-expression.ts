/** Nix: options with their types as a value that becomes JSON; `lib` and `tree`, whose files they are declared in, are bound around it. */
const OPTIONS = `  inherit (builtins) attrNames map isAttrs isString isList isInt isBool isFloat tryEval concatMap filter length;
  try = default: value: let r = tryEval value; in if r.success then r.value else default;
  text = v: if isString v then builtins.unsafeDiscardStringContext v else if isAttrs v && v ? text && isString v.text then v.text else null;
  plain = v: isString v || isInt v || isBool v || isFloat v || v == null;
  # A type as a small tree: its name, what it holds, its choices. Submodules are followed two deep, and types in types eight: some
  # hold themselves.
  typeOf = level: depth: t:
    if depth > 7 || !(isAttrs t) || !(t ? name) then { n = "unknown"; } else
    let
      nested = t.nestedTypes or { };
      name = t.name;
      inner = k: typeOf level (depth + 1) nested.\${k};
    in
    # The types of settings' formats hold themselves.
    if (name == "nullOr" || name == "either") && holdsItself t then { n = "anything"; }
    else if name == "enum" then { n = name; v = try [ ] (filter plain (t.functor.payload.values or t.functor.payload or [ ])); }
    # A system within the system: its options are the same, and to evaluate them again would take as much memory again.
    else if name == "submodule" && length (t.functor.payload.modules or [ ]) > 500 then { n = "system"; }
    else if name == "submodule" && level > 1 then { n = "unknown"; }
    else if name == "submodule" then { n = name; s = try { } (optionsOf (level + 1) (t.getSubOptions [ ])); f = (t.nestedTypes.freeformType or null) != null; }
    else if name == "either" then { n = name; a = [ (inner "left") (inner "right") ]; }
    else if name == "coercedTo" then { n = name; a = [ (inner "coercedType") (inner "finalType") ]; }
    else if nested ? elemType then { n = name; e = inner "elemType"; }
    else { n = name; };
  # A default as the manual shows it: its own words, else as the language writes it. What may hold packages is looked at only from
  # outside: to ask for a package's name evaluates it, and whole sets of packages with it.
  holdsPlain = t: if t ? e then holdsPlain t.e else if t ? a then builtins.all holdsPlain t.a else builtins.elem t.n [
    "bool" "boolByOr" "int" "positiveInt" "unsignedInt" "float" "number" "str" "singleLineStr" "nonEmptyStr" "separatedString" "lines" "commas" "envVar" "string" "enum" "passwdEntry"
  ] || builtins.match "(intBetween|(un)?signedInt|strMatching|numberBetween).*" t.n != null;
  written = t: v:
    if isAttrs v && v ? text && isString v.text then text v
    else if v == [ ] then "[ ]"
    else if isAttrs v && attrNames v == [ ] then "{ }"
    else if v == null || isBool v || isInt v || isFloat v || (isString v && !(builtins.hasContext v)) then builtins.toJSON v
    else if !(holdsPlain t) then null
    else if isList v && builtins.all plain v then "[ \${builtins.concatStringsSep " " (map builtins.toJSON v)} ]"
    else if isAttrs v && builtins.all plain (builtins.attrValues v) then "{ \${builtins.concatStringsSep " " (map (n: "\${n} = \${builtins.toJSON v.\${n}};") (attrNames v))} }"
    else null;
  optionOf = level: o: let
    t = try { n = "unknown"; } (typeOf level 0 o.type);
    # An internal one need not have words that spare its evaluation: the manual has none of them.
    # And few look at those deep inside, where a mistake of the tree that cannot be caught would be the end of all.
    isLeftOut = level > 1 || t.n == "package" || t.n == "shellPackage" || o.internal or false;
    shown = name: v: if v == null then { } else { \${name} = v; };
  in {
    inherit t;
    d = try null (text (o.description or null));
  } // shown "v" (if o ? defaultText && level < 2 then try null (written t o.defaultText) else if o ? default && !isLeftOut then try null (written t o.default) else null)
    // shown "x" (if o ? example && !isLeftOut then try null (written t o.example) else null)
    // (if o.readOnly or false then { r = true; } else { })
    // (if o ? declarations && length o.declarations > 0 then { p = try null (let p = builtins.head o.declarations; s = toString p; r = toString tree + "/"; in if lib.hasPrefix r s then lib.removePrefix r s else null); } else { });
  optionsOf = level: set:
    builtins.listToAttrs (concatMap (name:
      if name == "_module" || name == "_freeformOptions" then [ ] else
      let v = try null set.\${name}; in
      if !(isAttrs v) then [ ]
      else if (v._type or null) == "option" then (if try true ((v.visible or true) == false) then [ ] else [ { inherit name; value = { o = try { } (optionOf level v); }; } ])
      else [ { inherit name; value = { c = optionsOf level v; }; } ]) (attrNames set));
`;

/**
 * Nix: of a tree of nixpkgs the names of its packages, and NixOS' options with their types, as a value that becomes JSON.
 * An option is `{ o = { t, d, p, r, v, x } }` (type, description, place, whether it is only read, default and example as people read
 * them), a set of them `{ c }`.
 */
export const PINNED_TREE = `{ tree }:
let
  lib = import (tree + "/lib");
  system = import (tree + "/nixos/lib/eval-config.nix") { system = null; modules = [ { nixpkgs.hostPlatform = "x86_64-linux"; system.stateVersion = "26.05"; } ]; };
  holdsItself = t: let d = try "" (t.description or ""); in isString d && builtins.match ".*(value|atom).*" d != null;
${OPTIONS}in {
  names = attrNames (import tree { system = "x86_64-linux"; config.allowAliases = true; });
  options = if builtins.pathExists (tree + "/nixos/lib/eval-config.nix") then optionsOf 0 system.options else null;
}
`;

/** Nix: of a tree of home-manager, with the packages of a tree of nixpkgs, the options of a home in the same form. */
export const PINNED_HOME = `{ tree, nixpkgs }:
let
  lib = import (nixpkgs + "/lib");
  pkgs = import nixpkgs { system = "x86_64-linux"; config = { }; overlays = [ ]; };
  home = (import (tree + "/lib") { inherit lib; }).homeManagerConfiguration { inherit pkgs; modules = [ { home = { username = "nobody"; homeDirectory = "/homeless"; stateVersion = "26.05"; }; } ]; };
  # Some of its types hold themselves and have no description of their own: to ask for it would never end.
  holdsItself = _: false;
${OPTIONS}in { names = [ ]; options = optionsOf 0 home.options; }
`;


/** A type of NixOS as far as TypeScript can tell: its name, elements (`e`), alternatives (`a`), choices (`v`), options (`s`). */
export type PinnedType = {
  readonly n: string;
  readonly e?: PinnedType;
  readonly a?: readonly PinnedType[];
  readonly v?: readonly (string | number | boolean | null)[];
  readonly s?: PinnedOptions;
  /** A submodule that takes other names as well. */
  readonly f?: boolean;
};

export type PinnedOption = { readonly t?: PinnedType; readonly d?: string | null; readonly p?: string | null; readonly r?: boolean; readonly v?: string; readonly x?: string };

export type PinnedOptions = { readonly [name: string]: { readonly o: PinnedOption } | { readonly c: PinnedOptions } };

export type PinnedTree = { readonly names: readonly string[]; readonly options: PinnedOptions | null };
