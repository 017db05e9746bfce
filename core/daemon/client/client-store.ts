import { TsosError } from "../../error/tsos-error.ts";

/** What only who owns a store does with it; its daemon's clients are told so. */
export abstract class ClientStore {
  /** For people and errors. */
  abstract readonly name: string;

  async registerValidPaths(): Promise<never> {
    throw this.notForClients("registering paths that lie in the store already");
  }

  async registerBuildOutputs(): Promise<never> {
    throw this.notForClients("registering what was built elsewhere");
  }

  async deleteInvalidPath(): Promise<never> {
    throw this.notForClients("removing files of the store");
  }

  async createTemporaryFolder(): Promise<never> {
    throw this.notForClients("making folders in the store");
  }

  async lockPaths(): Promise<never> {
    throw this.notForClients("locking paths");
  }

  async removeLink(): Promise<never> {
    throw this.notForClients("removing links of shared files");
  }

  async optimise(): Promise<never> {
    throw this.notForClients("sharing equal files");
  }

  protected notForClients(what: string): TsosError {
    return new TsosError({ code: "daemon.not-for-clients", message: `${what} is not for clients of the daemon "${this.name}"`, hint: "the user who owns the store can do it", data: { store: this.name } });
  }
}
