/** Something to wait for a key, which may be opened before anybody does. */
export class Gates<K> {
  readonly #gates = new Map<K, { readonly passed: Promise<void>; readonly open: () => void }>();

  passed(key: K): Promise<void> {
    return this.#gate(key).passed;
  }

  open(key: K): void {
    this.#gate(key).open();
  }

  #gate(key: K) {
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      let open = (): void => {};
      const passed = new Promise<void>((resolve) => (open = resolve));
      gate = { passed, open };
      this.#gates.set(key, gate);
    }
    return gate;
  }
}
