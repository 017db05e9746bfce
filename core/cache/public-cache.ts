/** The public binary cache of nixpkgs and the key that it signs with: asked for what Nix expressions made, and nothing else. */
export const PUBLIC_CACHE = {
  substituters: ["https://cache.nixos.org"],
  trustedPublicKeys: ["cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="],
} as const;
