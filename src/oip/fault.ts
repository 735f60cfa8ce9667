import { GlacisError } from '../core/error.ts';

/** Whose bytes are read, so that an error blames the right side. */
export interface Source {
  /** How errors begin: the endpoint's address, or `request`. */
  readonly where: string;
  readonly code: 'endpoint/bad-answer' | 'request/invalid';
}

/** The error of a message that breaks the protocol: `where: place: expected X, got Y`. Never with a tensor's contents. */
export function fault(
  source: Source,
  place: string,
  expected: string,
  got: string,
  cause?: unknown,
): GlacisError {
  const at = place === '' ? '' : `${place}: `;
  return new GlacisError(
    source.code,
    `${source.where}: ${at}expected ${expected}, got ${got}`,
    cause === undefined ? undefined : { cause },
  );
}

/** A JSON value's kind, for messages. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
