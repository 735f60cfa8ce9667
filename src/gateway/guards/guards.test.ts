import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { calibrateDetector } from '../../detect/calibration/calibrate.ts';
import { calibrationToJson, readCalibration } from '../../detect/calibration/read-calibration.ts';
import type { GuardCalibration } from '../../detect/calibration/schema.ts';
import type { Detector, Observations, Watched } from '../../detect/detector.ts';
import { energy } from '../../detect/energy.ts';
import { mahalanobis } from '../../detect/features/mahalanobis.ts';
import { nearestFeatures } from '../../detect/features/nearest.ts';
import { entropy } from '../../detect/input/entropy-detector.ts';
import { margin } from '../../detect/margin.ts';
import { packFloats } from '../../detect/packed-floats.ts';
import { squeezing } from '../../detect/squeeze/disagreement.ts';
import type { GuardKind, GuardVerdict } from '../guard.ts';
import { guardsSchema } from './config-schema.ts';
import { constraintsGuard } from './constraints.ts';
import { feedsGuard } from './feeds.ts';
import { CLASSIFIER, callFixture, servedFixture, settingFixture } from './guard.fixture.ts';
import { inputGuard } from './input.ts';
import { guardsAt, openGuards, openTrialGuard } from './open-guards.ts';
import { GUARDS } from './registry.ts';

const watched: Watched = { sampleDims: [4], classes: 2, gives: 'logits', features: 3, range: [-4, 4] };
const rng = randomFrom(11, 'guards');
const normal = (n: number) => Float32Array.from({ length: n }, () => rng.normal());
/** Calm samples of two classes in turn. */
const observed = (n: number): Observations => ({
  n,
  x: normal(4 * n),
  scores: normal(2 * n).map((v, i) => v + (i % 4 === 0 || i % 4 === 3 ? 3 : -3)),
  features: normal(3 * n).map((v, i) => v + (i % 3 > 0 ? 0 : i % 6 === 0 ? 3 : -3)),
});
/** A guard's part of a calibration as it is read from a file. */
const partOf = async <Fit>(detector: Detector<Fit>): Promise<GuardCalibration> =>
  kept(
    await calibrateDetector(
      detector,
      watched,
      { fit: observed(60), threshold: observed(120), heldOut: observed(50) },
      [0.01],
      () => [0, 1],
    ),
  );
const fileOf = (guards: Readonly<Record<string, GuardCalibration>>): string => {
  const { digest } = servedFixture();
  const samples = { fit: 60, threshold: 120, heldOut: 50 };
  const data = { calm: digest, seed: 0, samples };
  return calibrationToJson({ schema: 'glacis.calibration/1', model: digest, data, guards });
};
const kept = (part: GuardCalibration): GuardCalibration =>
  readCalibration(fileOf({ part }), 'c.json', servedFixture().digest).guards.part!;
const made = <Options>(kind: GuardKind<Options>, options: unknown, setting = settingFixture()) =>
  kind.make(kind.options.parse(options), setting);
const judged = (guard: ReturnType<GuardKind<unknown>['make']>, call: Parameters<typeof guard.judge>[0]) =>
  guard.judge(call) as GuardVerdict;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-guards-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the list of guards', () => {
  it('names each once, says what it stops, and reads its options with defaults or refuses them', () => {
    const names = GUARDS.map(({ kind }) => kind.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { kind } of GUARDS) {
      expect(kind.name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(kind.about).toMatch(/\.$/);
      expect(kind.options.safeParse({ unknown: 1 }).success).toBe(false);
    }
  });

  it('judges inputs before the model runs first, the check of plain values first of all', () => {
    expect(GUARDS[0]!.kind.name).toBe('input');
    expect(GUARDS.find(({ kind }) => kind.name === 'input')!.on).toBe('always');
  });
});

describe('input', () => {
  const guard = made(inputGuard, { range: [0, 1] });

  it('lets plain values pass', () => {
    expect(judged(guard, callFixture([[0, 0.5, 1, 0.2]]))).toEqual({ action: 'pass', score: 0 });
  });

  it.each([
    ['NaN', [[0, Number.NaN, 0, 1]], /input x: element 1 is not finite/],
    ['an infinity', [[0, 1, 0, Number.NEGATIVE_INFINITY]], /element 3 is not finite/],
    [
      'a value out of range',
      [
        [0, 0.5, 0, 1],
        [0, 1.5, 0, 1],
      ],
      /sample 1: element 1 is outside the range/,
    ],
  ])('refuses %s', (_, rows, because) => {
    expect(judged(guard, callFixture(rows))).toMatchObject({
      action: 'refuse',
      because: expect.stringMatching(because),
    });
  });

  it('refuses blank samples, unless the policy allows them', () => {
    const call = callFixture([new Array<number>(16).fill(0.5)]);
    expect(judged(guard, call)).toMatchObject({
      action: 'refuse',
      because: 'sample 0: all values are equal',
    });
    expect(judged(made(inputGuard, { constant: false }), call).action).toBe('pass');
  });

  it('looks at every input, and at models that are no classifiers', () => {
    const bad = { name: 'z', datatype: 'FP64', shape: [1], data: Float64Array.of(Number.NaN) } as const;
    const call = callFixture([[0, 0.5, 1, 0.2]]);
    expect(judged(guard, { ...call, inputs: [...call.inputs, bad] })).toMatchObject({
      because: 'input z: element 0 is not finite',
    });
    expect(
      judged(guard, { ...call, inputs: [bad], classifier: undefined, floats: () => undefined }).action,
    ).toBe('refuse');
  });

  it('takes the range of the data that the model was calibrated on, unless the policy has another', () => {
    const { sampleDims, classes, gives } = watched;
    const about = { sampleDims: [...sampleDims], classes, gives };
    const part = (range?: [number, number]) =>
      settingFixture({
        calibration: { watched: { ...about, ...(range && { range }) }, fit: {}, thresholds: [] },
      });
    const call = callFixture([[0, 1.0000005, 0.5, 2]]);
    expect(judged(made(inputGuard, {}, part([0, 1])), call).because).toMatch(
      /element 3 is outside the range/,
    );
    expect(judged(made(inputGuard, { range: [0, 2] }, part([0, 1])), call).action).toBe('pass');
    expect(judged(made(inputGuard, {}, part()), call).action).toBe('pass');
    expect(() => made(inputGuard, {}, settingFixture({ calibration: { range: [0, 1] } }))).toThrow(
      /something else/,
    );
  });

  it('refuses a range that is none', () => {
    expect(() => made(inputGuard, { range: [1, 1] })).toThrow(/lower value first/);
  });

  it('never lets NaN or infinity pass, wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        fc.nat(7),
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
        (values, at, bad) => {
          const rows = [values.slice(0, 4), values.slice(4)];
          rows[at >> 2]![at & 3] = bad;
          expect(judged(made(inputGuard, {}), callFixture(rows)).action).toBe('refuse');
        },
      ),
    );
  });
});

describe('constraints', () => {
  const file = (constraint: object) => {
    const path = join(folder, 'c.json');
    writeFileSync(path, JSON.stringify({ schema: 'glacis.constraints/1', constraints: [constraint] }));
    return path;
  };
  const table = {
    type: 'tabular',
    columns: [{ column: 0, type: 'integer', min: 0, max: 9, immutable: true }],
    oneHot: [[2, 3]],
    relations: [{ terms: { 0: 1, 1: 1 }, atMost: 10 }],
  };

  it.each([
    [[3, 7, 0, 1], undefined],
    [[3.5, 1, 0, 1], /column 0 is not a whole number/],
    [[-1, 1, 0, 1], /column 0 is below 0/],
    [[10, 0, 0, 1], /column 0 is above 9/],
    [[1, 1, 1, 1], /2 of the one-hot group/],
    [[1, 1, 0, 0], /0 of the one-hot group/],
    [[9, 2, 1, 0], /relation 1 .* does not hold/],
    [[1, Number.NaN, 1, 0], /not a finite number/],
  ])('judges the row %j', (row, because) => {
    const guard = made(constraintsGuard, { file: file(table) });
    const verdict = judged(guard, callFixture([[0, 0, 1, 0], row]));
    if (because === undefined) expect(verdict.action).toBe('pass');
    else expect(verdict).toMatchObject({ action: 'refuse', because: expect.stringMatching(because) });
  });

  it.each([
    [[10, 10.5, 11, 11], undefined],
    [[10, 12, 11, 11], /jumps by more than 1/],
    [[10, 10.5, 11, -1], /not above 0|below|jumps/],
  ])(
    'judges the series %j at every step, also where an attacker could change the last one only',
    (row, because) => {
      const series = { type: 'series', last: 1, columns: [{ column: 0, positive: true, maxJump: 1 }] };
      const verdict = judged(made(constraintsGuard, { file: file(series) }), callFixture([row]));
      if (because === undefined) expect(verdict.action).toBe('pass');
      else expect(verdict).toMatchObject({ action: 'refuse', because: expect.stringMatching(because) });
    },
  );

  it('judges candles without an allowance for broken ones', () => {
    const candles = {
      type: 'series',
      names: ['o', 'h', 'l', 'c'],
      columns: [{ columns: ['o', 'h', 'l', 'c'] }],
      candles: [{ open: 'o', high: 'h', low: 'l', close: 'c' }],
    };
    const guard = made(constraintsGuard, { file: file(candles) });
    expect(judged(guard, callFixture([[2, 3, 1, 2.5]])).action).toBe('pass');
    expect(judged(guard, callFixture([[2, 2.4, 1, 2.5]]))).toMatchObject({
      because: 'sample 0: c is above h: the candle does not hold',
    });
  });

  it('only flags where a file is tried out, but never takes a row of another size', () => {
    const guard = made(constraintsGuard, { file: file(table), action: 'flag' });
    expect(judged(guard, callFixture([[10, 0, 0, 1]])).action).toBe('flag');
    expect(judged(guard, callFixture([[1, 2, 3]])).action).toBe('refuse');
  });

  it('holds bytes against their 256 values', () => {
    const guard = made(constraintsGuard, { file: file({ type: '8-bit' }), range: [0, 255] });
    expect(judged(guard, callFixture([[0, 255, 7, 8]])).action).toBe('pass');
    expect(judged(guard, callFixture([[0, 255, 7.5, 8]])).action).toBe('refuse');
  });

  it('refuses a call of another size, a file that is not there, masks alone, and a model that is no classifier', () => {
    const guard = made(constraintsGuard, { file: file(table) });
    expect(judged(guard, callFixture([[1, 2, 3]])).action).toBe('refuse');
    expect(judged(guard, { ...callFixture([[1, 2, 1, 0]]), floats: () => undefined }).action).toBe('refuse');
    expect(() => made(constraintsGuard, { file: join(folder, 'none') })).toThrow(/cannot be read/);
    const mask = { type: 'mask', boxes: [{ top: 0, left: 0, height: 1, width: 1 }] };
    expect(() => made(constraintsGuard, { file: file(mask) })).toThrow(/at least one constraint/);
    const other = settingFixture({ model: { ...servedFixture(), classifier: undefined } });
    expect(() => made(constraintsGuard, { file: file(table) }, other)).toThrow(/expected a classifier/);
  });
});

describe('feeds', () => {
  it('refuses a reading that comes again, for its principal', () => {
    const now = 1_700_000_000_000;
    const options = { feeds: [{ name: 'price', time: { parameter: 'at', unit: 's', maxAge: 5 } }] };
    const guard = made(feedsGuard, options, settingFixture({ now: () => now - 60_000 }));
    const call = callFixture([[1, 2, 3, 4]], { now, parameters: { at: now / 1000 } });
    expect(judged(guard, call)).toEqual({ action: 'pass', score: 0 });
    expect(judged(guard, call)).toMatchObject({
      action: 'refuse',
      because: 'feed price: the time did not grow',
    });
    expect(judged(guard, { ...call, principal: { ...call.principal, id: 'bob' } }).action).toBe('pass');
    expect(judged(guard, { ...call, parameters: { at: now / 1000 - 6 } })).toMatchObject({
      because: 'feed price: at is older than 5000 ms',
    });
    expect(judged(guard, { ...call, parameters: {} })).toMatchObject({
      because: 'feed price: at is no time',
    });
  });

  it('refuses readings from before the server began to watch', () => {
    const now = 1_700_000_000_000;
    const options = { feeds: [{ name: 'price', time: { parameter: 'at' } }] };
    const guard = made(feedsGuard, options, settingFixture({ now: () => now }));
    const before = callFixture([[1, 2, 3, 4]], { now: now + 10, parameters: { at: now - 1 } });
    expect(judged(guard, before)).toMatchObject({
      because: 'feed price: the reading was taken before watching began',
    });
  });

  it('counts inputs that repeat, where the policy asks for it', () => {
    const options = { mostRepeats: 1, feeds: [{ name: 'n', sequence: { parameter: 'seq' } }] };
    const guard = made(feedsGuard, options);
    const call = (seq: number, row: number[]) => callFixture([row], { parameters: { seq } });
    expect(judged(guard, call(1, [1, 2, 3, 4])).action).toBe('pass');
    expect(judged(guard, call(2, [1, 2, 3, 4])).because).toBe('the same input came 2 times in a row');
    expect(judged(guard, call(2, [1, 2, 3, 5])).action).toBe('pass');
  });

  it('refuses a feed of which nothing is asked', () => {
    expect(feedsGuard.options.safeParse({ feeds: [{ name: 'price' }] }).success).toBe(false);
    expect(feedsGuard.options.safeParse({ feeds: [] }).success).toBe(false);
  });
});

const CALIBRATED: readonly (readonly [Detector<never>, Partial<Observations>])[] = [
  [energy as never, { scores: Float32Array.of(-90, -90) }],
  [margin as never, { scores: Float32Array.of(1, 1) }],
  [entropy as never, { x: Float32Array.of(0, 0, 0, 0) }],
  [mahalanobis as never, { features: Float32Array.of(-9, 1, 0) }],
  [nearestFeatures as never, { features: Float32Array.of(-9, 0, 0) }],
];
const kindOf = (name: string) => GUARDS.find(({ kind }) => kind.name === name)!.kind;
const answer = (over: Partial<Observations> = {}, gives: GuardVerdict['action'] = 'pass') => {
  const { x, scores, features } = { ...observed(1), scores: Float32Array.of(3, -3), ...over };
  return {
    ...callFixture([[...x]]),
    scores: () => scores,
    features,
    expected: gives,
  };
};

describe.each(CALIBRATED)('$id', (detector, strange) => {
  const kind = kindOf(detector.id);

  it('lets a calm sample pass and does what the policy says with a strange one', async () => {
    const setting = settingFixture({ calibration: await partOf(detector) });
    const verdicts = Array.from({ length: 20 }, () =>
      judged(made(kind, { falsePositiveRate: 0.01 }, setting), answer()),
    );
    expect(verdicts.filter(({ action }) => action === 'pass').length).toBeGreaterThan(16);
    for (const action of ['flag', 'degrade', 'refuse'] as const) {
      const guard = made(kind, { falsePositiveRate: 0.01, action }, setting);
      expect(judged(guard, answer(strange))).toMatchObject({
        action,
        because: expect.stringMatching(/^1 of 1 samples above/),
      });
    }
  });

  it('flags where the model gives no number, and tells a score that JSON can hold', async () => {
    if (detector.needs === 'inputs') return;
    const guard = made(
      kind,
      { falsePositiveRate: 0.01 },
      settingFixture({ calibration: await partOf(detector) }),
    );
    const nan = new Float32Array(3).fill(Number.NaN);
    const verdict = judged(guard, answer({ scores: nan.subarray(0, 2), features: nan }));
    expect(verdict.action).toBe('flag');
    expect(Number.isFinite(verdict.score)).toBe(true);
    const sure = judged(guard, answer({ scores: Float32Array.of(3, Number.NEGATIVE_INFINITY) }));
    expect(Number.isFinite(sure.score)).toBe(true);
  });

  it('refuses where something that it looks at is missing', async () => {
    const guard = made(
      kind,
      { falsePositiveRate: 0.01 },
      settingFixture({ calibration: await partOf(detector) }),
    );
    const call = answer();
    expect(judged(guard, { ...call, floats: () => undefined }).action).toBe('refuse');
    expect(judged(guard, { ...call, n: 2 }).action).toBe('refuse');
    if (detector.needs === 'inputs') return;
    expect(judged(guard, { ...call, scores: () => undefined }).action).toBe('refuse');
    expect(judged(guard, { ...call, scores: () => new Float32Array(3) }).action).toBe('refuse');
    if (detector.needs === 'features')
      expect(judged(guard, { ...call, features: undefined }).action).toBe('refuse');
  });

  it('is not made without a calibration, with a rate that was not calibrated, or for another model', async () => {
    expect(() => made(kind, {})).toThrow(new RegExp(`run glacis calibrate MODEL --guards ${detector.id}`));
    const calibration = await partOf(detector);
    expect(made(kind, {}, settingFixture({ calibration })).name).toBe(detector.id);
    const empty = { ...calibration, thresholds: [] };
    expect(() => made(kind, {}, settingFixture({ calibration: empty }))).toThrow(/expected a rate of none/);
    expect(() => made(kind, { falsePositiveRate: 0.001 }, settingFixture({ calibration }))).toThrow(
      /expected a rate of 0.01/,
    );
    const options = { falsePositiveRate: 0.01 };
    for (const classifier of [
      { ...CLASSIFIER, classes: 3 },
      { ...CLASSIFIER, sampleDims: [2, 2] },
      { ...CLASSIFIER, gives: 'probabilities' as const },
      ...(detector.needs === 'features'
        ? [
            { ...CLASSIFIER, features: 4 },
            { ...CLASSIFIER, features: undefined },
          ]
        : []),
    ]) {
      const setting = settingFixture({ model: servedFixture(classifier), calibration });
      expect(() => made(kind, options, setting)).toThrow(/other sizes/);
    }
    const spoilt = { ...calibration, fit: { unknown: 1 } };
    expect(() => made(kind, options, settingFixture({ calibration: spoilt }))).toThrow(
      /what the calibration learnt/,
    );
    const none = settingFixture({ model: { ...servedFixture(), classifier: undefined }, calibration });
    expect(() => made(kind, options, none)).toThrow(/expected a classifier/);
  });
});

describe('a calibration that somebody has changed', () => {
  it('makes no guard, or one that judges; nothing else happens', async () => {
    const parts = await Promise.all(
      CALIBRATED.map(async ([detector]) => [detector.id, await partOf(detector)] as const),
    );
    const value = fc.oneof(
      fc.constantFrom<unknown>(null, -1, 0, 1e9, 1e308, '', 'AAAA', [], {}, true, [1], 'AACAfw=='),
      fc.double(),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.nat(1000), value, ([id, part], at, put) => {
        const changed = JSON.parse(JSON.stringify(part, packedValue)) as object;
        const places = leavesOf(changed);
        const [owner, key] = places[at % places.length]!;
        owner[key] = put;
        const setting = settingFixture({ calibration: changed });
        try {
          const verdict = judged(made(kindOf(id), { falsePositiveRate: 0.01 }, setting), answer());
          expect(['pass', 'flag']).toContain(verdict.action);
          expect(Number.isFinite(verdict.score)).toBe(true);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'GlacisError', code: 'option/invalid' });
        }
      }),
      { numRuns: 400 },
    );
  });
});

const packedValue = (_: string, value: unknown) =>
  value instanceof Float32Array ? packFloats(value) : value;

/** Every place of a JSON value, with what holds it. */
function leavesOf(value: object): [Record<string, unknown>, string][] {
  const owner = value as Record<string, unknown>;
  return Object.keys(owner).flatMap((key): [Record<string, unknown>, string][] => {
    const inner = owner[key];
    return [[owner, key], ...(typeof inner === 'object' && inner !== null ? leavesOf(inner) : [])];
  });
}

describe('feature-squeezing', () => {
  const pictures: Watched = { ...watched, sampleDims: [1, 5, 5], range: [0, 1] };
  const classifier = { ...CLASSIFIER, sampleDims: [1, 5, 5] };
  const rows = (n: number) => Float32Array.from({ length: 25 * n }, () => rng.uniform());
  const calm = async (_: Float32Array, n: number) =>
    Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 5 + 0.1 * rng.uniform() : 0));
  const part = async () => {
    const seen = async (n: number) => ({ n, x: rows(n), scores: await calm(rows(n), n) });
    return calibrateDetector(
      squeezing,
      { ...pictures, ask: calm },
      { fit: await seen(5), threshold: await seen(120), heldOut: await seen(20) },
      [0.01],
      () => [0, 1],
    );
  };
  const call = () => ({
    ...callFixture([[...rows(1)]]),
    scores: () => Float32Array.of(0, 5),
  });

  it('asks about simpler copies and flags what the model changes its mind about', async () => {
    let asked = 0;
    const setting = settingFixture({
      model: servedFixture(classifier),
      calibration: await part(),
      ask: (x, n) => {
        asked += n;
        return calm(x, n);
      },
    });
    const guard = made(kindOf('feature-squeezing'), { falsePositiveRate: 0.01, share: 1 }, setting);
    expect(await guard.judge(call())).toMatchObject({ action: 'flag' });
    expect(asked).toBe(2);
  });

  it('looks at the stated share of requests', async () => {
    let asked = 0;
    const setting = settingFixture({
      model: servedFixture(classifier),
      calibration: await part(),
      ask: (x, n) => {
        asked++;
        return calm(x, n);
      },
    });
    const guard = made(kindOf('feature-squeezing'), { falsePositiveRate: 0.01, share: 0.25 }, setting);
    for (let i = 0; i < 400; i++) await guard.judge(call());
    // Two squeezers.
    expect(asked).toBeGreaterThan(120);
    expect(asked).toBeLessThan(280);
  });

  it('looks at every call where it is tried on the past, whatever its share in service', async () => {
    let asked = 0;
    const calibration = join(folder, 'squeezing.json');
    writeFileSync(calibration, fileOf({ 'feature-squeezing': await part() }));
    const guard = openTrialGuard(
      guardsSchema.parse({ calibration, 'feature-squeezing': { share: 0.001 } }),
      'feature-squeezing',
      settingFixture({
        model: servedFixture(classifier),
        ask: (x, n) => {
          asked += n;
          return calm(x, n);
        },
      }),
    );
    for (let i = 0; i < 20; i++) await guard.judge(call());
    expect(asked).toBe(40);
  });

  it('passes on that the model cannot be asked: then the pipeline refuses', async () => {
    const setting = settingFixture({
      model: servedFixture(classifier),
      calibration: await part(),
      ask: async () => {
        throw new Error('busy');
      },
    });
    const guard = made(kindOf('feature-squeezing'), { falsePositiveRate: 0.01, share: 1 }, setting);
    await expect(guard.judge(call())).rejects.toThrow('busy');
  });
});

describe('openGuards', () => {
  const opened = (config: unknown, setting = settingFixture()) =>
    openGuards(guardsSchema.parse(config), setting).map(({ name }) => name);
  const calibrated = async () => {
    const path = join(folder, 'calibration.json');
    const text = fileOf({ energy: await partOf(energy), mahalanobis: await partOf(mahalanobis) });
    writeFileSync(path, text);
    return path;
  };

  it('gives the guards that are always on, and leaves out what the policy turns off', () => {
    const always = GUARDS.filter(({ on }) => on === 'always').map(({ kind }) => kind.name);
    expect(always).toContain('input');
    expect(opened({})).toEqual(always);
    expect(opened({ input: 'off' })).toEqual(always.filter((name) => name !== 'input'));
  });

  it('makes what is named from its part of the calibration, in the order of the list', async () => {
    const calibration = await calibrated();
    const names = opened({
      calibration,
      mahalanobis: { falsePositiveRate: 0.01 },
      energy: { falsePositiveRate: 0.01 },
    });
    expect(names.filter((name) => ['energy', 'mahalanobis'].includes(name))).toEqual([
      'energy',
      'mahalanobis',
    ]);
    expect(() => opened({ calibration, margin: {} })).toThrow(
      /guard margin: expected a calibration, got none/,
    );
    expect(() => opened({ mahalanobis: {} })).toThrow(/guard mahalanobis: expected a calibration, got none/);
  });

  it('gives what the calibration has a part for, at its lowest rate, but not what helps little or costs passes', async () => {
    const calibration = await calibrated();
    const names = opened({ calibration });
    expect(names).toContain('mahalanobis');
    expect(names).not.toContain('energy');
    expect(names).not.toContain('margin');
    expect(opened({ calibration, mahalanobis: 'off' })).not.toContain('mahalanobis');
  });

  it('makes one guard to try, on or off, that looks at every call, and says why it cannot', async () => {
    const calibration = await calibrated();
    const tried = (name: string, config: object = { calibration }) =>
      openTrialGuard(guardsSchema.parse(config), name, settingFixture());
    // As it scores in service.
    const [on] = openGuards(
      guardsSchema.parse({ calibration, energy: {}, input: 'off', mahalanobis: 'off' }),
      settingFixture(),
    );
    const call = callFixture([[0, 0, 0, 0]], { said: [[4, -3]] });
    for (const config of [{ calibration }, { calibration, energy: 'off' }]) {
      const guard = tried('energy', config);
      expect(guard.alarm).toEqual(on!.alarm);
      expect(guard.judge(call)).toEqual(on!.judge(call));
    }
    expect(tried('mahalanobis').features).toBe(true);
    const off = GUARDS.filter(({ kind }) => kind.features).map(({ kind }) => [kind.name, 'off']);
    expect(() => tried('mahalanobis', { calibration, ...Object.fromEntries(off) })).toThrow(/served without/);
    expect(() => tried('energy', {})).toThrow(/guard energy: expected a calibration, got none/);
    expect(() => tried('feeds')).toThrow(/which is not kept/);
    expect(() => tried('constraints')).toThrow(/expected its options in the configuration/);
    expect(() => tried('firewall')).toThrow(/expected one that exists, got 'firewall'/);
  });

  it("refuses another model's calibration, and one that is not there", async () => {
    const calibration = await calibrated();
    const other = settingFixture({ model: { ...servedFixture(), digest: `sha256:${'b'.repeat(64)}` } });
    expect(() => opened({ calibration }, other)).toThrow(expect.objectContaining({ code: 'data/mismatch' }));
    expect(() => opened({ calibration: join(folder, 'none') })).toThrow(
      expect.objectContaining({ code: 'data/unreadable' }),
    );
  });

  it('finds the files that a policy names beside the policy', () => {
    const config = guardsSchema.parse({
      calibration: 'c.json',
      constraints: { file: 'rows.json' },
      margin: 'off',
    });
    expect(guardsAt(config, (path) => `/etc/glacis/${path}`)).toEqual({
      calibration: '/etc/glacis/c.json',
      constraints: { file: '/etc/glacis/rows.json', action: 'refuse' },
      margin: 'off',
    });
    expect(guardsAt(guardsSchema.parse({ constraints: 'off' }), (path) => `/x/${path}`)).toEqual({
      constraints: 'off',
    });
  });

  it('refuses unknown guards and options', () => {
    expect(guardsSchema.safeParse({ firewall: {} }).success).toBe(false);
    expect(guardsSchema.safeParse({ input: { ranges: [0, 1] } }).success).toBe(false);
    expect(guardsSchema.safeParse({ input: true }).success).toBe(false);
  });
});
