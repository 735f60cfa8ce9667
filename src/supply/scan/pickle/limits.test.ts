import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../../data/byte-source.ts';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../limits.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { scanSource } from '../scan-source.ts';
import { Contents } from './contents.ts';
import { bytes, op, PAYLOAD, pickle } from './pickle.fixture.ts';
import { PickleReader } from './reader.ts';
import { pickleScanner } from './scanner.ts';

const repeat = (part: Uint8Array, count: number) => {
  const whole = new Uint8Array(part.length * count);
  for (let i = 0; i < count; i++) whole.set(part, i * part.length);
  return whole;
};

describe('a pickle that is built to exhaust', () => {
  it('of a million opcodes is read to its end', async () => {
    const result = await scanBytes(pickle(repeat(bytes(op('NONE'), op('POP')), 500_000), PAYLOAD));
    expect(result.verdict).toBe('malicious');
  });

  it('ends at the values on its stack', async () => {
    const result = await scanBytes(pickle(repeat(op('NONE'), 1_000_001)));
    expect(result).toMatchObject({ verdict: 'unreadable' });
    expect(ruleIds(result)).toEqual(['file/limit']);
  });

  it('ends at the steps that it may take', async () => {
    const result = await scanBytes(pickle(repeat(bytes(op('NONE'), op('POP')), 50_000)), 'x', {
      limits: { steps: 10_000 },
    });
    expect(result).toMatchObject({ verdict: 'unreadable' });
    expect(ruleIds(result)).toEqual(['file/limit']);
  });

  it('ends at the entries of its memo, and shows what came before', async () => {
    const rest = repeat(bytes(op('NONE'), op('MEMOIZE'), op('POP')), 1_000_001);
    const result = await scanBytes(pickle(PAYLOAD, rest));
    expect(result).toMatchObject({ verdict: 'malicious' });
    expect(ruleIds(result)).toContain('file/limit');
  });

  it.each([
    ['a chain of tuples', bytes(op('EMPTY_TUPLE'), repeat(op('TUPLE1'), 2_500_001))],
    ['marks without end', repeat(op('MARK'), 1_000_001)],
  ])('ends at %s', async (_, content) => {
    expect(ruleIds(await scanBytes(pickle(content)))).toEqual(['file/limit']);
  });

  it('ends at a line that is longer than any', async () => {
    // `I`, and then ones for ever.
    const source: ByteSource = {
      size: 2 ** 40,
      read: async (offset, length) => new Uint8Array(length).fill(0x31).fill(0x49, 0, offset === 0 ? 1 : 0),
      close: async () => {},
    };
    const reader = new PickleReader(source, 0);
    await expect(
      (async () => {
        while (!reader.next()) await reader.fill();
      })(),
    ).rejects.toThrow(/a line of more than 16777216 bytes/);
  });

  it('ends at the files in it', () => {
    const contents = new Contents(2);
    const file = (offset: number) => ({ kind: 'bytes', offset, length: 9, head: 'PK' }) as const;
    contents.add(file(0));
    contents.add({ ...file(1), head: '\xfe' });
    contents.load(file(2));
    expect(() => contents.addText({ kind: 'long text', offset: 3, length: 9, encoding: 'utf-8' })).toThrow(
      /at most 2 files/,
    );
    expect(() => contents.addEncoded(file(4), new Uint8Array(2 ** 25 + 1))).toThrow(/bytes in texts/);
  });

  it('of tuples that hold themselves a thousandfold is shown', async () => {
    const double = bytes(op('DUP'), op('TUPLE2'));
    const result = await scanBytes(pickle(op('EMPTY_TUPLE'), repeat(double, 60)));
    expect(ruleIds(result)).toEqual(['pickle/exhausting']);
    expect(result.verdict).toBe('suspicious');
  });

  it('nested in bytes ends at the depth', async () => {
    let content = pickle(PAYLOAD);
    for (let i = 0; i < 14; i++) content = pickle(op('BINBYTES', content));
    const result = await scanBytes(content);
    expect(ruleIds(result)).toEqual(['file/limit']);
    expect(result.verdict).toBe('unreadable');
  });

  it('with thousands of findings keeps some, and the worst', async () => {
    const odd = repeat(bytes(op('EXT1', 1), op('POP')), 5000);
    const result = await scanBytes(pickle(odd, PAYLOAD), 'x', { limits: { findings: 50 } });
    expect(result.verdict).toBe('malicious');
    expect(result.findings.length).toBeLessThan(60);
  });

  it('of ten gigabytes is passed over, not read', async () => {
    const head = bytes(op('PROTO', 4), [0x8e], new Uint8Array(new BigUint64Array([10n ** 10n]).buffer));
    const tail = bytes(op('POP'), PAYLOAD, op('STOP'));
    let read = 0;
    const source: ByteSource = {
      size: head.length + 10 ** 10 + tail.length,
      async read(offset, length) {
        read += length;
        const out = new Uint8Array(length);
        for (const [part, at] of [
          [head, 0],
          [tail, head.length + 10 ** 10],
        ] as const) {
          const from = Math.max(offset, at);
          const to = Math.min(offset + length, at + part.length);
          if (from < to) out.set(part.subarray(from - at, to - at), from - offset);
        }
        return out;
      },
      close: async () => {},
    };
    const budget = newBudget(DEFAULT_SCAN_LIMITS, () => performance.now());
    const result = await scanSource(source, {
      scanners: [pickleScanner],
      collectionScanners: [],
      file: 'x',
      budget,
    });
    expect(result.verdict).toBe('malicious');
    expect(read).toBeLessThan(2 ** 24);
  });

  it('can be cancelled', async () => {
    const budget = newBudget(DEFAULT_SCAN_LIMITS, () => 0, AbortSignal.abort());
    await expect(scanBytes(pickle(PAYLOAD), 'x', { budget })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });

  it('ends at its time', async () => {
    let now = 0;
    const budget = newBudget({ ...DEFAULT_SCAN_LIMITS, seconds: 1 }, () => (now += 600));
    const result = await scanBytes(pickle(repeat(bytes(op('NONE'), op('POP')), 50_000)), 'x', { budget });
    expect(ruleIds(result)).toEqual(['file/limit']);
  });
});
