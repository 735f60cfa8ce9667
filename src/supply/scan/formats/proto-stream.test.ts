import { expect, it } from 'vitest';
import { memorySource } from '../../../data/byte-source.ts';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../limits.ts';
import { type ProtoField, protoStream } from './proto-stream.ts';

it('a message is read at once up to 16 MiB, whatever its length says', async () => {
  const source = memorySource(new Uint8Array(2 ** 24 + 1), 'x');
  const stream = protoStream(
    source,
    'x',
    newBudget(DEFAULT_SCAN_LIMITS, () => 0),
  );
  const field = (end: number): ProtoField => ({ field: 1, wire: 2, value: 0, start: 0, end });
  // Not the bytes themselves: a failing test would print them.
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'read',
      ({ code }: { code: string }) => code,
    );
  expect(await outcome(stream.bytes(field(2 ** 24)))).toBe('read');
  expect(await outcome(stream.bytes(field(2 ** 24 + 1)))).toBe('scan/limit');
  expect(await outcome(stream.message(field(2 ** 24 + 1)))).toBe('scan/limit');
});
