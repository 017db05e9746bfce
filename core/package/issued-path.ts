import type { StorePath } from "../store-path/store-path.ts";

/** What an issued store path stands for. */
export type IssuedPath =
  | { readonly kind: "output"; readonly path: StorePath; readonly derivation: StorePath; readonly output: string }
  | { readonly kind: "derivation"; readonly path: StorePath }
  | { readonly kind: "source"; readonly path: StorePath };
