/** What our own `lib` makes: the rest of nixpkgs' library is called as it is. By the number of arguments. */
export const COMBINATORS: ReadonlyMap<string, number> = new Map([
  ["mkIf", 2], ["mkMerge", 1], ["mkOverride", 2], ["mkDefault", 1], ["mkForce", 1], ["mkOptionDefault", 1], ["mkVMOverride", 1], ["mkImageMediaOverride", 1],
  ["mkOrder", 2], ["mkBefore", 1], ["mkAfter", 1],
]);

/** Parts of nixpkgs' library whose functions it has at its top as well. */
export const LIB_PARTS: ReadonlySet<string> = new Set(["lists", "strings", "attrsets", "modules", "trivial", "options", "customisation", "meta"]);

/** Of `builtins` those that nixpkgs' library has under the same name. */
export const LIB_BUILTINS: ReadonlySet<string> = new Set(
  `add attrNames attrValues bitAnd bitOr bitXor catAttrs all any compareVersions concatLists concatMap concatStringsSep convertHash deepSeq elem elemAt filter
  fromJSON fromTOML functionArgs genList genericClosure getAttr getContext groupBy hasAttr hasContext hashString head intersectAttrs isAttrs isBool isFloat isFunction
  isInt isList isString length lessThan listToAttrs map mapAttrs match mul partition parseDrvName pathExists placeholder readFile removeAttrs replaceStrings seq sort split
  splitVersion stringLength sub substring tail toFile toJSON toString toXML tryEval typeOf zipAttrsWith ceil floor unsafeDiscardStringContext`.split(/\s+/).filter((name) => !["compareVersions", "splitVersion"].includes(name)),
);

/**
 * Names that nixpkgs' library has and no set of packages is likely to: where two `with` could have a name, these are
 * the library's.
 */
export const LIB_NAMES: ReadonlySet<string> = new Set([
  ...COMBINATORS.keys(),
  ..."mkOption mkEnableOption mkPackageOption optional optionals optionalString optionalAttrs concatStringsSep concatMapStrings concatMapStringsSep concatStrings mapAttrs mapAttrsToList mapAttrs' filterAttrs genAttrs nameValuePair listToAttrs attrNames attrValues types literalExpression mdDoc getExe getExe' makeBinPath makeLibraryPath recursiveUpdate hasPrefix hasSuffix removePrefix removeSuffix splitString toLower toUpper fileContents foldl' foldr flatten unique elem filter concatMap concatLists any all head last boolToString escapeShellArg escapeShellArgs mkRenamedOptionModule mkRemovedOptionModule licenses maintainers platforms versionAtLeast versionOlder importJSON importTOML cartesianProduct singleton forEach range".split(" "),
]);

/** Sources that channels and search paths name, where a configuration of today gets them. */
export const KNOWN_INPUTS: Readonly<Record<string, readonly [repository: string, ref: string | undefined]>> = {
  nixpkgs: ["NixOS/nixpkgs", undefined],
  nixos: ["NixOS/nixpkgs", undefined],
  "nixos-unstable": ["NixOS/nixpkgs", "nixos-unstable"],
  "nixpkgs-unstable": ["NixOS/nixpkgs", "nixpkgs-unstable"],
  unstable: ["NixOS/nixpkgs", "nixos-unstable"],
  "home-manager": ["nix-community/home-manager", undefined],
  "nixos-hardware": ["NixOS/nixos-hardware", undefined],
  "sops-nix": ["Mic92/sops-nix", undefined],
  agenix: ["ryantm/agenix", undefined],
  disko: ["nix-community/disko", undefined],
  impermanence: ["nix-community/impermanence", undefined],
};

/** What tsos' machines and shells are. */
export const SYSTEM = "x86_64-linux";
