import { GlacisError } from '../../../core/error.ts';
import { rangeSource } from '../../../data/byte-source.ts';
import { NPY_MAGIC } from '../../../data/npy.ts';
import type { Scanner } from '../scanner.ts';
import { PICKLE_RULES } from './rules.ts';
import { scanPickles } from './scan-pickle.ts';

const MAX_HEADER = 1 << 20;

/**
 * NumPy's array files. Arrays of numbers are data; an array of objects is a pickle behind the header (CVE-2019-6446).
 * Source: numpy.lib.format.
 */
export const npyScanner: Scanner = {
  id: 'npy',
  title: 'NumPy array',
  rules: [],
  recognises: ({ head }) => NPY_MAGIC.every((byte, i) => head[i] === byte),
  async scan(source, context) {
    const fail = (what: string) => new GlacisError('data/unreadable', `${context.where}: ${what}`);
    if (source.size < 12) throw fail('a NumPy header that is cut short');
    const start = await source.read(0, 12);
    const view = new DataView(start.buffer, start.byteOffset, 12);
    const wide = start[6]! > 1;
    const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
    const begin = wide ? 12 : 10;
    if (start[6]! < 1 || start[6]! > 3 || length > MAX_HEADER || begin + length > source.size)
      throw fail('a NumPy header that is damaged');
    const header = Buffer.from(await source.read(begin, length)).toString('latin1');
    const content = begin + length;
    // `'O'` may stand in any field of a structured type; `"` is how repr quotes a text with an apostrophe.
    if (/['"][<>|=]?O\d*['"]/.test(header)) {
      await scanPickles(source, context, { torch: false, script: false }, content);
      return;
    }
    if (!/['"]descr['"]\s*:/.test(header)) throw fail('a NumPy header without a type');
    const rest = rangeSource(source, content, source.size - content, context.where);
    const expected = plainSize(header);
    if (expected !== undefined && expected !== rest.size) {
      const at = content + Math.min(expected, rest.size);
      context.report(PICKLE_RULES.trailing, `${rest.size} bytes where the header describes ${expected}`, at);
      await context.nested(`bytes from ${at}`, rangeSource(source, at, source.size - at, context.where));
    }
  },
};

/** Bytes of an array of a plain type; `undefined` for structured ones. */
function plainSize(header: string): number | undefined {
  const type = /['"]descr['"]\s*:\s*'[<>|=]?([a-zA-Z])(\d{1,9})(?:\[[^\]]*\])?'/.exec(header);
  const shape = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(header);
  if (!type || !shape) return undefined;
  const sizes = shape[1]!
    .split(',')
    .map((size) => size.replace('L', '').trim())
    .filter((size) => size !== '');
  return sizes.reduce((product, size) => product * Number(size), Number(type[2]) * (type[1] === 'U' ? 4 : 1));
}
