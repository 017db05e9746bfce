// What an evaluation and its host tell each other of sources outside of the project.

/** What the host tells of an input's tree. */
export type InputTree = {
  readonly narHash: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
};

/** In the names of Nix's input schemes, or a URL. */
export type SourceName = Readonly<Record<string, string | number | boolean>> | string;

/** One that a configuration declares, as the host needs to know it. */
export type DeclaredInput = {
  readonly name: string;
  readonly source: SourceName;
  /** The folder that relative paths in it are relative to, in the project; undefined for the configuration's own. */
  readonly folder: string | undefined;
  /** Where it was declared: the stack of `defineInputs`. */
  readonly stack: string;
};

/** By which the bundle hands over a module of an input. */
export function moduleKey(input: string, path: string): string {
  return `${input}/${path.replace(/^(\.?\/)+/, "")}`;
}
