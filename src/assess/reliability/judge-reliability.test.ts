import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planAttack } from '../../attack/registry.ts';
import { parseSpecs } from '../../core/options.ts';
import { silent } from '../../core/progress.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import type { Norm } from '../../threat/norm.ts';
import { runAttack } from '../evasion.ts';
import { goalFor } from '../goal-for.ts';
import type { Loaded } from '../load.ts';
import { cellRecord, enterOutcome } from '../record.ts';
import type { RanCell } from './attack-facts.ts';
import { judgeReliability } from './judge-reliability.ts';
import type { CheckId, Reliability } from './reliability.ts';
import { reliabilityCheck } from './reliability-json.ts';
import { type Change, loadTiny, SAMPLES, tinyModel, tinySamples } from './tiny-model.fixture.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const EPS = 0.025;
const RIGHT = { correct: new Uint8Array(SAMPLES).fill(1) };

async function attacked(loaded: Loaded, attacks: string, norm: Norm): Promise<readonly RanCell[]> {
  const { subject, labels, batch } = loaded;
  const goal = goalFor('classification', labels, subject.classes, undefined);
  const cells: RanCell[] = [];
  for (const plan of parseSpecs(attacks).map(planAttack)) {
    const outcome = await runAttack(
      subject,
      plan,
      goal,
      { norm, eps: EPS, bounds: [0, 1] },
      tinySamples(),
      { reached: new Uint8Array(SAMPLES) },
      { seed: 1, batch, firstSample: 0, progress: silent },
    );
    const record = cellRecord('classification', SAMPLES, subject.classes);
    enterOutcome(record, 0, outcome);
    cells.push({ cell: { plan, measure: norm, eps: EPS, radii: [EPS], perSample: '' }, record });
  }
  return cells;
}

interface Asked {
  readonly attacks?: string;
  readonly norm?: Norm;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly blind?: boolean;
  readonly led?: boolean;
}

async function judged(change: Change, asked: Asked = {}): Promise<Reliability> {
  const { attacks = 'pgd(steps=20)', norm = 'linf', seed = 1, signal, blind, led } = asked;
  const loaded = await loadTiny(engine, tinyModel(change));
  try {
    const cells = await attacked(loaded, attacks, norm);
    // An endpoint shows no graph.
    const seen = blind ? { ...loaded, subject: { ...loaded.subject, target: undefined } } : loaded;
    return await judgeReliability(seen, cells, RIGHT, {
      norm,
      eps: EPS,
      seed,
      tolerance: undefined,
      led,
      signal,
      progress: silent,
      now: () => 0,
    });
  } finally {
    await loaded.close();
  }
}

const suspicious = ({ checks }: Reliability): readonly CheckId[] =>
  checks.filter(({ verdict }) => verdict === 'suspicious').map(({ id }) => id);

const rounded: Change = { front: (b, x) => b.div(b.unary('Round', b.mul(x, 10)), 10) };
/** A ripple too small to change an answer, whose slope hides that of the model. */
const rippled: Change = { front: (b, x) => b.add(x, b.mul(b.unary('Sin', b.mul(x, 20_000)), 0.004)) };
const noisy: Change = { front: (b, x) => b.add(x, b.mul(b.node('RandomNormalLike', [x]), 0.05)) };
const sure: Change = { end: (b, z) => b.mul(z, 2000) };

describe('the reliability of an assessment', () => {
  it.each<Norm>(['linf', 'l2', 'l1'])('of a plain model in %s is good, and fit for a file', async (norm) => {
    const attacks = 'fgsm, pgd(steps=40), square(queries=100)';
    const found = await judged({}, { norm, attacks });
    expect(suspicious(found)).toEqual([]);
    expect(found).toMatchObject({ masked: false, samples: SAMPLES, norm, eps: EPS });
    const problems: string[] = [];
    reliabilityCheck(JSON.parse(JSON.stringify(found)), '', problems);
    expect(problems).toEqual([]);
  });

  it.each<[string, Change, readonly CheckId[]]>([
    ['rounds its input', rounded, ['zero-gradients', 'local-agreement', 'larger-eps', 'steps']],
    ['adds a ripple to it', rippled, ['local-agreement', 'loss-direction']],
    ['adds noise to it', noisy, ['randomness']],
    ['is too sure of itself', sure, ['saturation', 'zero-gradients']],
  ])('suspects a model that %s', async (_, change, expected) => {
    const found = await judged(change);
    expect(found.masked).toBe(true);
    expect(suspicious(found)).toEqual(expect.arrayContaining([...expected]));
  });

  it('goes by the model alone where attacks led to a class', async () => {
    // Square finds much that two steps of PGD miss, which says nothing where both had a target.
    const found = await judged(rounded, { attacks: 'fgsm, pgd(steps=2), square(queries=400)', led: true });
    expect(suspicious(found)).toEqual(
      expect.arrayContaining(['zero-gradients', 'local-agreement', 'larger-eps', 'steps']),
    );
    expect(found.masked).toBe(true);
    const byAttacks = ['one-step', 'more-steps', 'noise', 'without-gradients', 'transfer'];
    for (const { id, verdict, evidence } of found.checks)
      if (byAttacks.includes(id))
        expect([id, verdict, evidence]).toEqual([id, 'unknown', expect.stringMatching(/led/)]);
    const problems: string[] = [];
    reliabilityCheck(JSON.parse(JSON.stringify(found)), '', problems);
    expect(problems).toEqual([]);
    const plain = await judged({}, { attacks: 'pgd(steps=1)', led: true });
    expect(plain.masked).toBe(false);
    const unknown = plain.checks.filter(({ verdict }) => verdict === 'unknown').map(({ id }) => id);
    expect(unknown).toEqual(expect.arrayContaining(byAttacks));
  });

  it('sees that attacks passed rounding straight through', async () => {
    const { checks } = await judged(rounded, { attacks: 'pgd(steps=20, rounding=straight-through)' });
    expect(checks.find(({ id }) => id === 'steps')?.heeded).toBe(true);
    expect(checks.find(({ id }) => id === 'zero-gradients')?.heeded).toBe(true);
  });

  it('lets gradient attacks try again where others did better', async () => {
    const found = await judged(rounded, { attacks: 'pgd(steps=2), square(queries=400)' });
    const { evidence } = found.checks.find(({ id }) => id === 'without-gradients')!;
    expect(evidence).toMatch(/tried \d+ of them again/);
  });

  it('is the same for the same seed', async () => {
    expect(await judged(rippled)).toEqual(await judged(rippled));
    expect(await judged(rippled)).not.toEqual(await judged(rippled, { seed: 2 }));
  });

  it('asks an endpoint for nothing but noise, and knows what it cannot know', async () => {
    const found = await judged({}, { attacks: 'square(queries=50)', blind: true });
    const known = found.checks.filter(({ verdict }) => verdict !== 'unknown').map(({ id }) => id);
    expect(known).toEqual(['noise', 'randomness']);
    expect(found).toMatchObject({ gradientQueries: 0, masked: false });
    expect(found.queries).toBeLessThanOrEqual(32 * SAMPLES);
  });

  it('costs what is stated', async () => {
    const { queries, gradientQueries } = await judged({}, { norm: 'l2' });
    expect(gradientQueries).toBeGreaterThan(2 * SAMPLES);
    expect(gradientQueries).toBeLessThanOrEqual(442 * SAMPLES);
    expect(queries - gradientQueries).toBeLessThanOrEqual(76 * SAMPLES);
  });

  it('stops when it is told to', async () => {
    await expect(judged({}, { attacks: 'fgsm', signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });

  it('of L0 looks at the model, and climbs where every input is allowed', async () => {
    const loaded = await loadTiny(engine, tinyModel(rounded));
    const found = await judgeReliability(loaded, [], RIGHT, {
      norm: 'l0',
      eps: 3,
      seed: 1,
      tolerance: undefined,
      signal: undefined,
      progress: silent,
    });
    await loaded.close();
    expect(suspicious(found)).toEqual(expect.arrayContaining(['zero-gradients', 'larger-eps', 'steps']));
    expect(found.checks.find(({ id }) => id === 'noise')?.verdict).toBe('unknown');
  });
});
