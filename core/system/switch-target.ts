export type SwitchAction = "switch" | "test" | "boot" | "dry-activate";

export type SwitchTarget =
  /** A toplevel that was built: the logical path. */
  | { readonly kind: "toplevel"; readonly toplevel: string }
  | { readonly kind: "generation"; readonly number: number }
  /** The generation before the current one. */
  | { readonly kind: "rollback" }
  /** The generation that the machine boots. */
  | { readonly kind: "current" };
