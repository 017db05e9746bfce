import type { ByteString } from "../../util/bytes.ts";

/** Where `<nix/fetchurl.nix>` is: no file system has it. */
export const INTERNAL_FOLDER: ByteString = "/__corepkgs__";

/** What `<nix/fetchurl.nix>` evaluates to: its derivations must be those of the reference, attribute for attribute. */
const FETCHURL: ByteString = `
{ system ? "", url, hash ? "", md5 ? "", sha1 ? "", sha256 ? "", sha512 ? ""
, outputHash ? (builtins.head (builtins.filter (h: h != "") [ hash sha512 sha1 md5 ] ++ [ sha256 ]))
, outputHashAlgo ? (if hash != "" then "" else if sha512 != "" then "sha512" else if sha1 != "" then "sha1" else if md5 != "" then "md5" else "sha256")
, executable ? false, unpack ? false, name ? baseNameOf (toString url), impure ? false
}:
let
  content = if impure then { __impure = true; } else { inherit outputHash outputHashAlgo; };
  proxies = map (kind: kind + "_proxy") [ "http" "https" "ftp" "all" "no" ];
in
derivation ({
  inherit name url executable unpack;
  system = "builtin";
  builder = "builtin:fetchurl";
  outputHashMode = if executable || unpack then "recursive" else "flat";
  urls = [ url ];
  preferLocalBuild = true;
  impureEnvVars = proxies;
} // content)
`;

export const INTERNAL_FILES: ReadonlyMap<ByteString, ByteString> = new Map([[`${INTERNAL_FOLDER}/fetchurl.nix`, FETCHURL]]);

/** A path as it is shown: a file that the language brings along is `<nix/…>`. */
export function showPath(path: ByteString): ByteString {
  return path === INTERNAL_FOLDER || path.startsWith(`${INTERNAL_FOLDER}/`) ? `<nix/${path.slice(INTERNAL_FOLDER.length + 1)}>` : path;
}

/** As a string: such a file is at the root of what it came from. */
export function withoutInternalFolder(path: ByteString): ByteString {
  return path.startsWith(INTERNAL_FOLDER) ? path.slice(INTERNAL_FOLDER.length) || "/" : path;
}
