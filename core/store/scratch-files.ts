import { rmdirSync } from "node:fs";
import { givesAttributes } from "./canonicalise.ts";
import { removeTree } from "./file-tree.ts";
import type { TemporaryFolder } from "./store.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

/** Names on the store's file system for what is being added: one temporary folder for all, there only while something is. */
export class ScratchFiles implements AsyncDisposable {
  readonly #realStoreDir: string;
  #scratch: { readonly folder: TemporaryFolder; readonly givesAttributes: boolean; users: number; files: number } | undefined;

  constructor(realStoreDir: string) {
    this.#realStoreDir = realStoreDir;
  }

  /** A name of one's own, of nothing yet; what is still there at the release is removed. */
  borrow(): { readonly file: string; readonly release: () => Promise<void> } {
    const scratch = (this.#scratch ??= this.#begin());
    scratch.users++;
    const file = `${scratch.folder.path}/${scratch.files++}`;
    return {
      file,
      release: async () => {
        scratch.users--;
        if (scratch.users === 0) {
          if (this.#scratch === scratch) this.#scratch = undefined;
          // The folder with all that was not moved away.
          await scratch.folder[Symbol.asyncDispose]();
        } else {
          await removeTree(file);
        }
      },
    };
  }

  /** Whether a borrowed file may have attributes that it got from its folder, which is nobody else's. */
  inheritsAttributes(file: string): boolean {
    return this.#scratch === undefined || !file.startsWith(`${this.#scratch.folder.path}/`) || this.#scratch.givesAttributes;
  }

  #begin() {
    const folder = makeTemporaryFolder(this.#realStoreDir);
    try {
      return { folder, givesAttributes: givesAttributes(folder.path), users: 0, files: 0 };
    } catch (error) {
      // Empty and still locked: no collector would take it while this process lives.
      rmdirSync(folder.path);
      void folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scratch?.folder[Symbol.asyncDispose]();
    this.#scratch = undefined;
  }
}
