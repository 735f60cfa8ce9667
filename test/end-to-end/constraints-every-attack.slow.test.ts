import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVASION_ATTACKS } from '../../src/attack/registry.ts';
import { QUICK } from '../contract/quick-attacks.ts';
import { bars, made, pictures, table, type Way } from './constrained.fixture.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-constraints-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** All that look within a norm, in the first that they know; `transfer` has no examples of its own. */
const EVERY = EVASION_ATTACKS.filter(({ id, norms }) => norms.length > 0 && id !== 'transfer').map(
  ({ id, norms }): Way => [id, QUICK[id] ?? {}, norms[0]!],
);

describe.each([
  ['a table', table],
  ['candles', bars],
  ['masked pictures of 8 bits', pictures],
] as const)('%s', (_name, kind) => {
  // That one attacks pictures alone.
  const suited = EVERY.filter(([id]) => kind === pictures || id !== 'di-fgsm');
  it.each(suited)('is kept by every attack: %s', async (...attack) => {
    const { wrong, refused } = await made(home, kind, attack);
    expect(wrong).toEqual([]);
    expect(refused).toBe(0);
  });
});
