import { GlacisError } from '../../../core/error.ts';
import type { Rule } from '../finding.ts';
import type { ScanContext, Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { type ByteCursor, byteCursor } from './byte-cursor.ts';

const UBJSON_RULES = {
  trailing: {
    id: 'ubjson/trailing-bytes',
    title: 'Bytes after the end of the model',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'The file may be of a second format at the same time.',
    taxonomy: TAXONOMY.evasion,
  },
} as const satisfies Record<string, Rule>;

/** Bytes of the values without parts. */
const FIXED: Readonly<Record<string, number>> = {
  Z: 0,
  N: 0,
  T: 0,
  F: 0,
  i: 1,
  U: 1,
  C: 1,
  I: 2,
  l: 4,
  d: 4,
  L: 8,
  D: 8,
};
const DEEPEST = 1000;

/** Universal Binary JSON, as XGBoost keeps models in it. It runs nothing; the structure is followed to its end. Source: https://ubjson.org */
export const ubjsonScanner: Scanner = {
  id: 'ubjson',
  title: 'UBJSON (XGBoost)',
  rules: Object.values(UBJSON_RULES),
  // An object, and then the length of its first name; JSON has a quote or a blank in that place.
  recognises: ({ head }) =>
    head[0] === 0x7b &&
    /^\{(?:[iU].|I\0.|l\0\0.{2}|L\0{6}.{2})[A-Za-z_]/s.test(
      Buffer.from(head.subarray(0, 16)).toString('latin1'),
    ),
  async scan(source, context) {
    const cursor = byteCursor(source, context.where, 1 << 20);
    await walk(cursor, context);
    if (cursor.at < source.size)
      context.report(UBJSON_RULES.trailing, `${source.size - cursor.at} bytes`, cursor.at);
  },
};

/** An object or list that is open: how many values are left, or until its end mark; with the type of all, where it says one. */
interface Open {
  readonly object: boolean;
  left: number | undefined;
  readonly type: string | undefined;
}

async function walk(cursor: ByteCursor, { where, budget }: ScanContext): Promise<void> {
  const fail = (got: string) =>
    new GlacisError('data/unreadable', `${where}: byte ${cursor.at}: expected UBJSON, got ${got}`);
  const mark = async () => String.fromCharCode((await cursor.bytes(1))[0]!);
  const size = async (type: string): Promise<number> => {
    const bytes = FIXED[type];
    if (bytes === undefined || !'iUIlL'.includes(type)) throw fail(`a length of type '${type}'`);
    let value = 0;
    for (const byte of await cursor.bytes(bytes)) value = value * 256 + byte;
    // Past this it is a negative number, or no length.
    if (!Number.isSafeInteger(value)) throw fail(`a length of ${value}`);
    return value;
  };
  const open: Open[] = [];
  const begin = async (type: string): Promise<void> => {
    budget.step();
    const fixed = FIXED[type];
    if (fixed !== undefined) cursor.skip(fixed);
    else if (type === 'S' || type === 'H') cursor.skip(await size(await mark()));
    else if (type === '{' || type === '[') {
      if (open.length >= DEEPEST) throw fail(`${DEEPEST} levels`);
      await container(type === '{');
    } else throw fail(`a value of type '${type}'`);
  };
  const container = async (object: boolean): Promise<void> => {
    let next = await mark();
    let type: string | undefined;
    if (next === '$') {
      type = await mark();
      next = await mark();
      if (next !== '#') throw fail('a type without a count');
    }
    if (next === '#') {
      const left = await size(await mark());
      const fixed = type === undefined ? undefined : FIXED[type];
      // Numbers of one type are passed over together.
      if (!object && fixed !== undefined) cursor.skip(fixed * left);
      else open.push({ object, left, type });
      return;
    }
    open.push({ object, left: undefined, type });
    await member(next);
  };
  /** Reads one value of the innermost container, whose first mark was read already. */
  const member = async (first: string): Promise<void> => {
    const inner = open.at(-1)!;
    if (inner.left === undefined && first === (inner.object ? '}' : ']')) {
      open.pop();
      return;
    }
    if (!inner.object) return begin(first);
    cursor.skip(await size(first));
    await begin(inner.type ?? (await mark()));
  };
  await begin(await mark());
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    budget.step();
    if (inner.left === 0) open.pop();
    else {
      if (inner.left !== undefined) inner.left--;
      if (!inner.object && inner.type !== undefined) await begin(inner.type);
      else await member(await mark());
    }
  }
}
