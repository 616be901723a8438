/** Holds resources, and lets go of them in reverse order: what is needed of AsyncDisposableStack, which Node 20 does not have. */
export class Scope implements AsyncDisposable {
  #releases: (() => void | Promise<void>)[] = [];

  use<Resource extends Disposable | AsyncDisposable>(resource: Resource): Resource {
    this.defer(async () =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    );
    return resource;
  }

  defer(release: () => void | Promise<void>): void {
    this.#releases.push(release);
  }

  /** @returns what holds all of it from now on, so that the end of this scope leaves it alone */
  move(): Scope {
    const next = new Scope();
    next.#releases = this.#releases.splice(0);
    return next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const release of this.#releases.splice(0).reverse()) {
      await release();
    }
  }
}
