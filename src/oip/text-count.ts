import { fault, type Source } from './fault.ts';
import { elementsOf } from './shape.ts';

/** Elements of all `BYTES` tensors of a message: each is an object of its own, many times as large as the few bytes that it may hold. */
const MAX_TEXTS = 65_536;

/** Counts the elements of a message's `BYTES` tensors before they are made. */
export class TextCount {
  readonly #source: Source;
  #count = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Errors: the source's, where there are more than 65,536 in all. */
  add(shape: readonly number[], place: string): void {
    this.#count += elementsOf(shape);
    if (this.#count > MAX_TEXTS)
      throw fault(this.#source, place, `at most ${MAX_TEXTS} elements of BYTES in all`, `${this.#count}`);
  }
}
