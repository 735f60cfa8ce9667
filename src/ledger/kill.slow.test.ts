import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { killRounds } from './kill-rounds.fixture.ts';

it('abuse 30: a writer killed 50 times under load loses nothing that was acknowledged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-kill-'));
  const { acknowledged } = await killRounds(folder, 50, (round) => (round * 37) % 211);
  expect(acknowledged).toBeGreaterThan(1000);
  await rm(folder, { recursive: true });
});
