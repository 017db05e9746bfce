/**
 * Whether git takes a text as the name of a branch or tag.
 * Source: git-check-ref-format(1), with the leading dash and the single `@` that only `git branch` refuses.
 */
export function isLegalRefName(name: string): boolean {
  if (name === "" || name === "@" || name.startsWith("-") || name.startsWith("/") || name.endsWith("/") || name.endsWith(".")) return false;
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false;
  return name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}

/** A whole commit hash, as URLs carry it. */
export const REVISION = /^[0-9a-fA-F]{40}$/;
