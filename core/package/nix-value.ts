/**
 * A value of NixOS' tree of options, or of nixpkgs. Which options there are depends on the pinned tree, so without
 * declarations made from that tree nothing is known of their types.
 */
// The one `any` of the public interface: every other type would refuse what is right.
export type NixValue = any;

/** An entry of home-manager's graphs (`dagOf`), as `lib.hm.dag.entryAfter(["a"], data)` and its like make one. */
export type NixDagEntry<T> = { readonly data: T; readonly after: readonly string[]; readonly before: readonly string[] };

/** A value of home-manager's `gvariant`; what the language does not tell apart, such as a tuple, `lib.hm.gvariant` makes. */
export type NixGvariant = boolean | number | string | readonly NixGvariant[] | { readonly _type: "gvariant"; readonly type: string };
