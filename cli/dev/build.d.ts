/** Builds the runtime of evaluations and its thread into `outFolder`; the sources that went into it. */
export function buildRuntime(options: { readonly root?: string; readonly entry?: string; readonly outFolder: string }): Promise<readonly string[]>;
/** Builds everything into `dist`. */
export function buildAll(root?: string): Promise<void>;
