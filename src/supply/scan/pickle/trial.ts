import type { ByteSource } from '../../../data/byte-source.ts';
import type { Budget } from '../limits.ts';
import { Judge } from './judge.ts';
import { OPCODES } from './opcodes.ts';
import { runPickle } from './run.ts';

const PROTO = 0x80;
const NEWEST = 5;
/** Opcodes after PROTO that other data does not hold by chance. */
const ENOUGH = 64;
const NO_CHANCE = 3;

/**
 * Whether a pickle begins at byte `start`. After PROTO a few opcodes decide. Protocols 0 and 1 have no mark at their beginning and
 * may be plain text, so there the stream is tried to its end: it counts when it called or changed something, be it broken
 * afterwards, when it imported something and stopped, or when pickles follow each other to where the content ends. Lines of
 * text import names by chance, so an import alone counts only where the content is `named` like a pickle. `next` stands for
 * one behind a pickle: that it stops is enough.
 */
export async function beginsPickle(
  source: ByteSource,
  start: number,
  budget: Budget,
  kind: 'unnamed' | 'named' | 'next' = 'unnamed',
): Promise<boolean> {
  let at = start;
  do {
    const [first, second] = await source.read(at, Math.min(2, source.size - at));
    if (first === undefined || OPCODES[first] === undefined) return false;
    const judge = new Judge({ torch: true, script: true });
    if (first === PROTO) {
      if (second === undefined || second > NEWEST) return false;
      const { stopped, count, broken } = await runPickle(source, at, judge, budget, {
        most: ENOUGH,
        untilActs: true,
      });
      return stopped || judge.acts > 0 || count >= NO_CHANCE || broken === undefined;
    }
    const { stopped, end } = await runPickle(source, at, judge, budget, { untilActs: true });
    if (judge.acts > 0 || (judge.imports > 0 && (stopped || kind === 'named'))) return true;
    if (!stopped) return false;
    at = end;
  } while (kind !== 'next' && !(await isPadding(source, at)));
  return true;
}

/** The longest padding after a pickle. */
const MAX_PADDING = 1 << 16;

/** Whether nothing but zeros and white space follows from byte `start` on. */
export async function isPadding(source: ByteSource, start: number): Promise<boolean> {
  const left = source.size - start;
  if (left > MAX_PADDING) return false;
  const rest = await source.read(start, left);
  return rest.every((byte) => byte === 0 || byte === 0x20 || (byte >= 9 && byte <= 13));
}
