import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sevenZip, WRITTEN_BY_7_ZIP } from './container/seven-zip/seven-zip.fixture.ts';
import { tar } from './container/tar.fixture.ts';
import { zip } from './container/zip.fixture.ts';
import { OPCODES } from './pickle/opcodes.ts';
import { bytes, op, PAYLOAD, pickle } from './pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from './scan.fixture.ts';
import { legacyTorch, tensor, torchZip } from './torch/torch.fixture.ts';

/** Small enough that no sample takes long; a scanner that fails for an unforeseen reason is a fault. */
const limits = { steps: 200_000, unpackedBytes: 1 << 22, seconds: 20 };

async function survives(content: Uint8Array): Promise<void> {
  const result = await scanBytes(content, 'fuzz', { limits });
  expect(ruleIds(result)).not.toContain('file/scanner-failed');
  expect(result.verdict === 'clean').toBe(result.findings.length === 0);
}

const opcode = fc.constantFrom(...OPCODES.flatMap((known, code) => (known ? [code] : [])));
const weight = tensor({ key: '0', elements: 4, shape: [2, 2], strides: [2, 1] });
const SEEDS: readonly Uint8Array[] = [
  pickle(PAYLOAD, weight),
  zip([
    { name: 'a.pkl', content: pickle(PAYLOAD) },
    { name: 'b', content: pickle(op('NONE')), deflate: true },
  ]),
  tar([
    { name: 'a', content: pickle(PAYLOAD) },
    { name: 'x', type: 'x', content: '16 path=../evil\n' },
    { name: 'b', type: '2', target: 'a' },
  ]),
  sevenZip([
    { name: 'a', content: pickle(PAYLOAD) },
    { name: 'b' },
    { name: 'c', content: pickle(op('NONE')) },
  ]),
  Buffer.from(WRITTEN_BY_7_ZIP['evil, LZMA2'], 'base64'),
  torchZip(weight, { 0: new Uint8Array(16) }),
  legacyTorch(weight, [['0', new Uint8Array(16)]]),
];

describe('no content breaks a scanner:', () => {
  it('rows of opcodes with any bytes between them', async () => {
    const stream = fc.array(
      fc.oneof(
        opcode.map((code) => [code]),
        fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 6 }),
      ),
      {
        maxLength: 60,
      },
    );
    await fc.assert(
      fc.asyncProperty(stream, (parts) => survives(bytes(op('PROTO', 4), parts.flat()))),
      { numRuns: 400 },
    );
  });

  it.each(SEEDS.map((seed, i) => [i, seed] as const))(
    'seed %d with bytes changed, cut out and doubled',
    async (_, seed) => {
      const change = fc.record({
        at: fc.nat({ max: seed.length - 1 }),
        to: fc.integer({ min: 0, max: 255 }),
        cut: fc.nat({ max: 20 }),
        twice: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
          let content = seed;
          for (const { at, to, cut, twice } of changes) {
            const place = at % content.length;
            const rest = content.subarray(Math.min(content.length, place + cut));
            content = bytes(
              content.subarray(0, place),
              [to],
              twice ? content.subarray(place, place + cut) : [],
              rest,
            );
          }
          return survives(content);
        }),
        { numRuns: 120 },
      );
    },
  );

  it('a payload in front of any bytes is malicious', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (rest) => {
        const result = await scanBytes(bytes(op('PROTO', 4), PAYLOAD, rest), 'fuzz', { limits });
        expect(result.verdict).toBe('malicious');
      }),
      { numRuns: 200 },
    );
  });
});
