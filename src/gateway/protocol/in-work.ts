/** Counts what is in work over both faces, and tells when nothing is. */
export class InWork {
  readonly most: number;
  #count = 0;
  #idle: (() => void)[] = [];

  constructor(most: number) {
    this.most = most;
  }

  get count(): number {
    return this.#count;
  }

  /** Begins one; false where there are too many. Each that began must end. */
  begin(): boolean {
    if (this.#count >= this.most) return false;
    this.#count++;
    return true;
  }

  end(): void {
    if (--this.#count > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  /** Resolves when nothing is in work. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}
