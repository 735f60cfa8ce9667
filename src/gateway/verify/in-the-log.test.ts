import { expect, it } from 'vitest';
import { questionFixture, stagesFixture } from '../pipeline.fixture.ts';
import { openPipeline } from '../pipeline.ts';
import { Refused } from '../refusal.ts';
import type { Verifier } from '../stages.ts';

async function logged(check: Verifier['check']) {
  const stages = stagesFixture({ verifier: () => ({ check }) });
  const { kind } = await openPipeline(stages).infer(questionFixture([[1, 2, 3]]));
  return { kind, entry: stages.written[0]!.entry };
}

it.each(['flag', 'pass'] as const)('the log says how far two models were apart: %s', async (action) => {
  const { kind, entry } = await logged(async () => ({ divergence: 0.25, action }));
  expect(kind).toBe('answer');
  expect(entry).toMatchObject({ divergence: 0.25, guards: [{ guard: 'verify', action, score: 0.25 }] });
});

it('the log says it of a held call, too', async () => {
  const { kind, entry } = await logged(async () => {
    throw new Refused('held', 'they differ', { divergence: 0.75 });
  });
  expect(kind).toBe('refusal');
  expect(entry).toMatchObject({
    outcome: 'held',
    because: 'they differ',
    divergence: 0.75,
    guards: [{ guard: 'verify', action: 'refuse', score: 0.75 }],
  });
});

it('the log says nothing of a decision that was not in the sample', async () => {
  const { entry } = await logged(() => undefined);
  expect(entry).toMatchObject({ outcome: 'answered', guards: [] });
  expect('divergence' in entry && entry.divergence).toBeFalsy();
});
