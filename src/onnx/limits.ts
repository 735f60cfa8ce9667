import { GlacisError } from '../core/error.ts';

/** What reading a model may cost at most. A file beyond a limit is refused with `model/too-large`. */
export interface Limits {
  /** Bytes of the model file itself; protobuf allows no more than 2 GiB − 1. */
  readonly fileBytes: number;
  /** Bytes of all external tensors together. */
  readonly externalBytes: number;
  /** Nodes, graphs and functions together; also what inlining functions may grow to. */
  readonly nodes: number;
  /** Tensors in all graphs and attributes together. */
  readonly tensors: number;
  /** Attributes of all nodes together. */
  readonly attributes: number;
  /** Inputs and outputs of all nodes, graphs and functions, and stated types, together. */
  readonly values: number;
  /** Elements of all list attributes and strings of all tensors together. */
  readonly list: number;
  /** Graphs inside graphs (`If`, `Loop`, `Scan`); at most 256, so that no walk over them exhausts the stack. */
  readonly depth: number;
  /** UTF-8 bytes of one name. */
  readonly nameBytes: number;
  /** Dimensions of one tensor or value. */
  readonly rank: number;
  /** Bytes that one sparse initializer may take once it is dense. */
  readonly denseBytes: number;
}

/** Generous for real models, small enough that no file exhausts the machine. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  fileBytes: 2 ** 31 - 1,
  externalBytes: 2 ** 40,
  nodes: 2_000_000,
  tensors: 2_000_000,
  attributes: 4_000_000,
  values: 12_000_000,
  list: 2 ** 24,
  depth: 32,
  nameBytes: 65_536,
  rank: 64,
  denseBytes: 2 ** 31 - 1,
});

const DEEPEST = 256;

/** The defaults with `changes` on top. Errors: `option/unknown` for a key that is none, `option/invalid` for a bad value. */
export function limitsWith(changes: Partial<Limits> | undefined): Limits {
  if (changes === undefined) return DEFAULT_LIMITS;
  for (const [key, value] of Object.entries(changes)) {
    if (!(key in DEFAULT_LIMITS)) {
      throw new GlacisError(
        'option/unknown',
        `limits: expected one of ${Object.keys(DEFAULT_LIMITS).join(', ')}, got ${key}`,
      );
    }
    if (value === undefined || !Number.isSafeInteger(value) || value < 0) {
      throw new GlacisError(
        'option/invalid',
        `limits.${key}: expected a whole number from 0, got ${String(value)}`,
      );
    }
  }
  if ((changes.depth ?? 0) > DEEPEST) {
    throw new GlacisError(
      'option/invalid',
      `limits.depth: expected at most ${DEEPEST}, got ${changes.depth}`,
    );
  }
  return { ...DEFAULT_LIMITS, ...changes };
}
