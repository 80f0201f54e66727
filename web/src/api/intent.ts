/**
 * What somebody wants to have done once, such as what one dialog asks for. When the connection breaks nobody knows whether a
 * request was carried out: the same one, sent again with the same key, has its effect once and is given the answer of the
 * first. Another request of it, of which something was changed, has a key of its own.
 */
export class Intent {
  readonly #keys = new Map<string, string>();

  /** The key of a request, by what it asks for. */
  key(request: unknown): string {
    const text = JSON.stringify(request);
    let key = this.#keys.get(text);
    if (key === undefined) {
      key = random();
      this.#keys.set(text, key);
    }
    return key;
  }
}

// randomUUID is there on encrypted connections only.
function random(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
