/** `.#a.b`: the flake, and what follows `#`. */
export function splitFlakeReference(word: string): { readonly ref: string; readonly attribute: string } {
  const hash = word.indexOf("#");
  return hash < 0 ? { ref: word === "" ? "." : word, attribute: "" } : { ref: hash === 0 ? "." : word.slice(0, hash), attribute: decodeURIComponent(word.slice(hash + 1)) };
}
