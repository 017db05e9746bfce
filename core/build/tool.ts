/** A program and the arguments that come before one's own (such as a dynamic linker's). */
export type Tool = { readonly command: string; readonly args: readonly string[] };
