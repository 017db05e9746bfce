/**
 * A value of NixOS' tree of options, or of nixpkgs. Which options there are depends on the pinned tree, so without
 * declarations made from that tree nothing is known of their types.
 */
// The one `any` of the public interface: every other type would refuse what is right.
export type NixValue = any;
