import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../../core/error.ts';
import { type ByteSource, memorySource } from '../../../data/byte-source.ts';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../limits.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { scanSource } from '../scan-source.ts';
import { bytes, call, name, op, PAYLOAD, pickle, text } from './pickle.fixture.ts';
import { pickleScanner } from './scanner.ts';

async function look(content: Uint8Array) {
  const result = await scanBytes(content, 'model.joblib');
  return { verdict: result.verdict, rules: ruleIds(result) };
}

const dtype = (type: string) => call('numpy', 'dtype', text(type), op('NEWFALSE'), op('NEWTRUE'));

/** joblib's wrapper of an array, and what follows it in the stream. */
function wrapped(type: string, shape: number, raw: Uint8Array, alignment = op('NONE')): Uint8Array {
  return bytes(
    name('joblib.numpy_pickle', 'NumpyArrayWrapper'),
    op('EMPTY_TUPLE'),
    op('NEWOBJ'),
    op('EMPTY_DICT'),
    op('MARK'),
    text('shape'),
    bytes(op('BININT', shape), op('TUPLE1')),
    text('dtype'),
    dtype(type),
    text('numpy_array_alignment_bytes'),
    alignment,
    op('SETITEMS'),
    op('BUILD'),
    raw,
  );
}

const FLOATS = new Uint8Array(Float32Array.of(1.5, -2.5, 3.25).buffer);

describe("joblib's arrays in the stream", () => {
  it('are passed over, and what follows is read', async () => {
    expect(await look(pickle(wrapped('f4', 3, FLOATS)))).toEqual({ verdict: 'clean', rules: [] });
    const after = pickle(wrapped('f4', 3, FLOATS), op('POP'), PAYLOAD);
    expect(await look(after)).toMatchObject({ verdict: 'malicious', rules: ['pickle/dangerous-name'] });
  });

  it('are never clean where a read fails, whichever it is', async () => {
    const content = pickle(wrapped('f4', 3, FLOATS), op('POP'), op('NONE'));
    const look = async (failing: number) => {
      let reads = 0;
      const memory = memorySource(content, 'x');
      const source: ByteSource = {
        ...memory,
        read: (at, length) =>
          reads++ === failing
            ? Promise.reject(new GlacisError('data/unreadable', 'the disk failed'))
            : memory.read(at, length),
      };
      const setting = { scanners: [pickleScanner], collectionScanners: [], file: 'x' };
      const budget = newBudget(DEFAULT_SCAN_LIMITS, () => 0);
      return { reads: () => reads, ...(await scanSource(source, { ...setting, budget })) };
    };
    const whole = await look(-1);
    expect(whole.verdict).toBe('clean');
    expect(whole.reads()).toBeGreaterThan(2);
    for (let i = 0; i < whole.reads(); i++) expect((await look(i)).verdict).not.toBe('clean');
  });

  it('begin behind their padding', async () => {
    const padded = wrapped('f4', 3, bytes([3, 255, 255, 255], FLOATS), op('BININT1', 16));
    expect(await look(pickle(padded))).toEqual({ verdict: 'clean', rules: [] });
  });

  it('of objects are pickles of their own', async () => {
    expect(await look(pickle(wrapped('O', 1, pickle(op('NONE')))))).toEqual({ verdict: 'clean', rules: [] });
    expect(await look(pickle(wrapped('O', 1, pickle(PAYLOAD))))).toMatchObject({ verdict: 'malicious' });
  });

  it('of objects are read with the memo from before, too, as every other unpickler does', async () => {
    // To joblib, entry 0 is what the inner pickle puts there; to pickle.load, it is what the outer one did.
    const inner = pickle(
      text('collections'),
      op('MEMOIZE'),
      op('POP'),
      op('BINGET', 0),
      text('OrderedDict'),
      op('STACK_GLOBAL'),
    );
    const both = pickle(text('os'), op('MEMOIZE'), op('POP'), wrapped('O', 1, inner));
    expect(await look(both)).toMatchObject({ verdict: 'malicious', rules: ['pickle/two-readings'] });
  });

  it('are run as opcodes, too, as every other unpickler does', async () => {
    const code = bytes(op('POP'), PAYLOAD, op('STOP'));
    const both = pickle(wrapped('u1', code.length, code));
    expect(await look(both)).toEqual({ verdict: 'malicious', rules: ['pickle/two-readings'] });
  });

  it('may use what was put into the memo before', async () => {
    const code = bytes(
      op('BINGET', 0),
      op('BINGET', 1),
      op('STACK_GLOBAL'),
      op('EMPTY_TUPLE'),
      op('REDUCE'),
      op('STOP'),
    );
    const both = pickle(
      text('os'),
      op('MEMOIZE'),
      op('POP'),
      text('getcwd'),
      op('MEMOIZE'),
      op('POP'),
      wrapped('u1', code.length, code),
    );
    expect(await look(both)).toEqual({ verdict: 'malicious', rules: ['pickle/two-readings'] });
  });

  it.each<[string, Uint8Array]>([
    ['past the end', wrapped('f4', 300, FLOATS)],
    ['of an unknown type', wrapped('?!', 3, FLOATS)],
    ['of a negative size', wrapped('f4', -3, FLOATS)],
  ])('%s are odd, and the stream is read on as pickle.load would', async (_, content) => {
    const found = await look(pickle(content));
    expect(found.verdict).toBe('suspicious');
    expect(found.rules).toContain('pickle/odd-structure');
    expect(await look(pickle(content.subarray(0, -12), PAYLOAD))).toMatchObject({ verdict: 'malicious' });
  });
});
