import { GlacisError } from '../../../core/error.ts';
import { PickleError } from './pickle-error.ts';
import type { Value } from './value.ts';

/**
 * The unpickler's stack, in two as in CPython's C: values, and marks that say where a group of them begins. Nothing below the last
 * mark can be reached. Errors of all that takes: {@link PickleError}.
 */
export class Stack {
  readonly #values: Value[] = [];
  readonly #marks: number[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** A stack with the same values and marks. */
  copy(): Stack {
    const twin = new Stack(this.#most);
    for (const value of this.#values) twin.#values.push(value);
    for (const mark of this.#marks) twin.#marks.push(mark);
    return twin;
  }

  /** Begins a group. */
  setMark(): void {
    if (this.#marks.length >= this.#most) throw tooMany(this.#most, 'marks on the stack');
    this.#marks.push(this.#values.length);
  }

  /** Takes a mark where one is on top, else a value. */
  drop(): void {
    if (this.#marks.at(-1) === this.#values.length) this.#marks.pop();
    else this.pop();
  }

  /** Takes the last group and forgets it. */
  dropToMark(): void {
    this.#values.length = this.#mark();
  }

  #fence(): number {
    return this.#marks.at(-1) ?? 0;
  }

  push(value: Value): void {
    if (this.#values.length >= this.#most) throw tooMany(this.#most, 'values on the stack');
    this.#values.push(value);
  }

  pop(): Value {
    if (this.#values.length <= this.#fence()) throw new PickleError('a value is taken from an empty stack');
    return this.#values.pop()!;
  }

  top(): Value {
    if (this.#values.length <= this.#fence()) throw new PickleError('a value is asked of an empty stack');
    return this.#values.at(-1)!;
  }

  popMany(count: number): Value[] {
    if (this.#values.length - count < this.#fence())
      throw new PickleError('a value is taken from an empty stack');
    return this.#values.splice(this.#values.length - count, count);
  }

  #mark(): number {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new PickleError('a mark is missing');
    return mark;
  }

  popToMark(): Value[] {
    const mark = this.#mark();
    return this.#values.splice(mark);
  }
}

/** The error `scan/limit` of a pickle that holds too many of something. */
export function tooMany(most: number, what: string): GlacisError {
  return new GlacisError('scan/limit', `expected at most ${most} ${what} of a pickle, got more`);
}
