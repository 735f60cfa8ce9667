import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckId } from '../../src/assess/reliability/reliability.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { type Base, EXAMPLE, openBase } from './bases.ts';
import { DEVELOPMENT } from './development.ts';
import { checkTrial, openTrial } from './trial.ts';

const SAMPLES = 8;
const ATTACKS = 'pgd(steps=10), square(queries=50)';

let engine: Engine;
let base: Base;
beforeAll(async () => {
  engine = startEngine({ threads: 1 });
  base = await openBase(EXAMPLE, SAMPLES);
});
afterAll(() => engine.close());

async function judged(defence?: string) {
  const { apply } = DEVELOPMENT.find(({ id, on }) => id === defence && on === EXAMPLE) ?? {};
  if (defence !== undefined && !apply) throw new Error(`${defence}: no such defence of ${EXAMPLE}`);
  const trial = await openTrial(engine, apply?.(base.model) ?? base.model, base);
  try {
    return await checkTrial(trial, base.eps[1], { attacks: ATTACKS });
  } finally {
    await trial.close();
  }
}

describe('the bundled model', () => {
  it.each<[string, CheckId]>([
    ['input rounded to 256 levels', 'steps'],
    ['outputs through a sigmoid of slope 1', 'saturation'],
    ['random gain of the input', 'randomness'],
    ['rounded cosine transform of 16 x 16 blocks', 'zero-gradients'],
    ['softmax at temperature 0.1', 'saturation'],
  ])('with %s gets a verdict of masking', async (defence, id) => {
    const { masked, checks } = await judged(defence);
    expect(masked).toBe(true);
    expect(checks.find((check) => check.id === id)).toMatchObject({ verdict: 'suspicious', masking: true });
  });

  it('itself gets none', async () => {
    const { masked, checks } = await judged();
    expect(checks.filter(({ masking, verdict }) => masking && verdict === 'suspicious')).toEqual([]);
    expect(masked).toBe(false);
  });
});
