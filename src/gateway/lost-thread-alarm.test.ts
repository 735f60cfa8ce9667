import { expect, it } from 'vitest';
import { lostThreadAlarm } from './lost-thread-alarm.ts';
import type { RunFor } from './served-model.ts';

const LOST = { model: 'signs', version: '1', digest: 'sha256:0', timeout: 60_000, lost: 1, most: 2 };
const alarm = (by: readonly RunFor[], isReplaced = true) =>
  lostThreadAlarm({ ...LOST, by, isReplaced }, { id: '0'.repeat(32), now: 100_000 });
const call = (principal: string, decision: string): RunFor => ({ principal, decision });

it('names who sent what a run does not end for, and the decision about it', () => {
  expect(alarm([call('mallory', 'd1')])).toMatchObject({
    ...{ kind: 'fault', severity: 'high', principals: ['mallory'], decisions: ['d1'], queries: 1 },
    why: expect.stringMatching(/a call of one caller/),
  });
});

it('names all whose calls ran together, and says that one of them is enough', () => {
  const { principals, decisions, queries, why } = alarm([
    ...[call('mallory', 'd1'), call('ann', 'd2'), call('mallory', 'd3')],
  ]);
  expect({ principals, decisions, queries }).toEqual({
    ...{ principals: ['mallory', 'ann'], decisions: ['d1', 'd2', 'd3'], queries: 3 },
  });
  expect(why).toMatch(/3 calls of 2 callers together.*not to blame/);
});

it('blames nobody for a question of the gateway’s own', () => {
  expect(alarm([], false)).toMatchObject({
    ...{ severity: 'critical', principals: [], decisions: [] },
    why: expect.stringMatching(/no caller’s/),
  });
});

it('is about the model, so that one case holds all that happens to it', () => {
  expect(alarm([call('mallory', 'd1')]).subject).toBe(alarm([call('ann', 'd2')]).subject);
});
