import { GlacisError } from '../core/error.ts';

const SHOWN = 10;

/** Collects what is wrong with a model, so that the user hears of everything at once. */
export class Problems {
  #texts: string[] = [];
  #count = 0;

  /** How many were found. */
  get count(): number {
    return this.#count;
  }

  /** Notes one problem (`where: expected X, got Y`). */
  add(text: string): void {
    if (this.#count++ < SHOWN) this.#texts.push(text);
  }

  /** Errors: `model/invalid` with the first ten problems when there are any. */
  throwIfAny(what: string): void {
    if (this.#count === 0) return;
    if (this.#count === 1) throw new GlacisError('model/invalid', `${what}: ${this.#texts[0]}`);
    const rest = this.#count > SHOWN ? `\n  … and ${this.#count - SHOWN} more` : '';
    throw new GlacisError(
      'model/invalid',
      `${what}: ${this.#count} problems\n  ${this.#texts.join('\n  ')}${rest}`,
    );
  }
}

/** A name as it may appear in a message: quoted, control characters escaped, shortened. Attacker-controlled text. */
export function quoted(name: string): string {
  const short = name.length > 120 ? `${name.slice(0, 117)}…` : name;
  return JSON.stringify(short.toWellFormed());
}

/** How messages name a node: `graph: node 12 (Conv "conv1")`. */
export function nodeLabel(graph: string, index: number, op: string, name: string): string {
  return `${graph}: node ${index} (${op.slice(0, 60).toWellFormed()}${name === '' ? '' : ` ${quoted(name)}`})`;
}
