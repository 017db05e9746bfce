import { defineHelper, type Package } from "../../core/index.ts";

export type FetchUrl = {
  /** `https://…`, or `mirror://NAME/path` for a mirror that the machine's settings name. */
  readonly url: string;
  /** Further places of the same bytes. */
  readonly urls?: readonly string[];
  /** SRI (`sha256-…`), or with its algorithm in front. */
  readonly hash: string;
  /** Default: the last part of the URL. */
  readonly name?: string;
  readonly executable?: boolean;
  /** In bytes, for progress and to stop a download that cannot be right. */
  readonly size?: number;
};

/** A file of the network, known by its hash. */
export const fetchurl = defineHelper(({ createPackage }) => ({ url, urls, hash, name, executable, size }: FetchUrl): Package =>
  createPackage({ name: name ?? fileName(url), url, urls, hash, executable, size }, (attributes) => ({
    name: String(attributes.name),
    system: "builtin",
    builder: "builtin:fetchurl",
    url: attributes["url"],
    urls: attributes["urls"],
    outputHash: String(attributes["hash"]),
    outputHashMode: attributes["executable"] === true ? "recursive" : "flat",
    executable: attributes["executable"] === true ? true : undefined,
    size: attributes["size"],
    preferLocalBuild: true,
  })),
);

// A store path's name has fewer characters than a URL: `bubblewrap_0.12.0-1~deb13u1_amd64.deb`.
function fileName(url: string): string {
  return url.replace(/[?#].*$/, "").replace(/^.*\//, "").replace(/[^0-9a-zA-Z+\-._=]/g, "-");
}
