import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Constraint } from '../constraint.ts';
import { eightBit } from './eight-bit.ts';
import { joined } from './joined.ts';
import { entries, list, number, object, optional, parseJson, type Read, required, word } from './json.ts';
import { type OpenMask, readMask } from './mask-file.ts';
import { readSeries } from './series-file.ts';
import { readTabular } from './tabular-file.ts';

/** The only version of a constraint file. */
export const CONSTRAINTS_SCHEMA = 'glacis.constraints/1';

/** Most characters of a constraint file. */
const MAX_TEXT = 1 << 20;
/** Most constraints in one file. */
const MAX_CONSTRAINTS = 16;

/** What a constraint file is read for. */
export interface ConstraintContext {
  /** Shape of one sample as the model takes it, without the batch. */
  readonly shape: readonly number[];
  /** Names of a table's columns, in the order of a row, where the data have them. */
  readonly columns?: readonly string[] | undefined;
  /** Least and greatest value of an input, for `8-bit`. */
  readonly range?: readonly [number, number] | undefined;
  /** Reads the mask that the file names: paths are as written there. Without, masks are boxes only. */
  readonly openMask?: OpenMask | undefined;
}

/**
 * Reads a constraint file (JSON, described in docs/constraints.md); `where` names it in messages. Unknown keys are refused.
 * Errors: `data/unreadable` (no JSON, a key twice), `data/too-large` (over 1 Mi characters), `option/unknown` (a key, with the
 * nearest known one), `option/invalid` (a value, a column that does not exist, contradictions), `data/mismatch` (the shape of a
 * sample does not fit).
 *
 * @example
 * const constraint = await constraintFrom(await readFile(path, 'utf8'), path, { shape: [30], columns: names });
 */
export async function constraintFrom(
  text: string,
  where: string,
  context: ConstraintContext,
): Promise<Constraint> {
  const constraints: Constraint[] = [];
  for (const [i, value] of wantedFrom(text, where).entries()) {
    const place = `${where}: constraints[${i}]`;
    try {
      const { shape, openMask } = context;
      constraints.push(
        typeOf(value, place) === 'mask'
          ? await readMask(value, place, shape, openMask)
          : readRowRule(value, place, context),
      );
    } catch (error) {
      throw placed(error, place);
    }
  }
  return joined(constraints, lengthOf(context));
}

/**
 * What a constraint file says of a row by itself: all but its masks, which say what may change. Nothing else is read, so that it need not be waited for.
 * Errors: as {@link constraintFrom}; `option/invalid` where the file has masks only.
 */
export function rowConstraintFrom(
  text: string,
  where: string,
  context: Omit<ConstraintContext, 'openMask'>,
): Constraint {
  const constraints = wantedFrom(text, where).flatMap((value, i) => {
    const place = `${where}: constraints[${i}]`;
    try {
      return typeOf(value, place) === 'mask' ? [] : [readRowRule(value, place, context)];
    } catch (error) {
      throw placed(error, place);
    }
  });
  return joined(constraints, lengthOf(context));
}

function wantedFrom(text: string, where: string): readonly unknown[] {
  if (text.length > MAX_TEXT)
    throw new GlacisError(
      'data/too-large',
      `${where}: expected at most ${MAX_TEXT} characters, got ${text.length}`,
    );
  const top = object(parseJson(text, where), where, ['schema', 'constraints']);
  required(top, 'schema', where, word(CONSTRAINTS_SCHEMA));
  return required(top, 'constraints', where, list(asIs, MAX_CONSTRAINTS));
}

/** The error with its place: what the constraint itself refuses knows no file. */
function placed(error: unknown, place: string): unknown {
  if (!(error instanceof GlacisError) || error.message.startsWith(place)) return error;
  return new GlacisError(error.code, `${place}: ${error.message}`, { cause: error });
}

function lengthOf({ shape }: Pick<ConstraintContext, 'shape'>): number {
  return elementCount(shape);
}

const TYPES = ['mask', '8-bit', 'tabular', 'series'] as const;

/** Which keys there may be depends on the type. */
function typeOf(value: unknown, where: string): (typeof TYPES)[number] {
  return required(Object.fromEntries(entries(asIs)(value, where)), 'type', where, word(...TYPES));
}

function readRowRule(value: unknown, where: string, context: ConstraintContext): Constraint {
  const { shape, columns } = context;
  const type = typeOf(value, where);
  const length = lengthOf(context);
  if (type === 'series') return readSeries(value, where, shape);
  if (type === 'tabular')
    return readTabular(value, where, length, columns?.length === length ? columns : undefined);
  return readEightBit(value, where, length, context);
}

function readEightBit(
  value: unknown,
  where: string,
  length: number,
  { range }: ConstraintContext,
): Constraint {
  const given = object(value, where, ['type', 'range']);
  const wanted = optional(given, 'range', where, pair) ?? range;
  if (!wanted)
    throw new GlacisError(
      'option/invalid',
      `${where}: expected a key 'range', because the range of the data is not known, got none`,
    );
  return eightBit(wanted, length);
}

const pair: Read<readonly [number, number]> = (value, where) => {
  const [low, high, ...rest] = list(number)(value, where);
  if (low !== undefined && high !== undefined && low < high && rest.length === 0) return [low, high];
  throw new GlacisError(
    'option/invalid',
    `${where}: expected two numbers, the lower first, got something else`,
  );
};

const asIs: Read<unknown> = (value) => value;
