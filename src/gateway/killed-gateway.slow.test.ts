import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { killGateway } from './killed-gateway.fixture.ts';

it('abuse 30: a whole gateway killed under load loses no decision that was answered, and refills no budget', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-killed-'));
  const answers = [1, 30, 200, 500];
  const { acknowledged, missing, refilled } = await killGateway(folder, answers.length, (round) => ({
    answers: answers[round]!,
    milliseconds: round,
  }));
  expect(acknowledged).toBeGreaterThanOrEqual(731);
  expect({ missing, refilled }).toEqual({ missing: [], refilled: [] });
  await rm(folder, { recursive: true });
}, 300_000);
