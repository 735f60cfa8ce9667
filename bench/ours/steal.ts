import { parseArgs } from 'node:util';
import { answersOf, trainCopy } from '../../src/attack/extraction/copy.ts';
import { extract } from '../../src/attack/extraction/extract.ts';
import { planExtraction } from '../../src/attack/extraction/registry.ts';
import { parseSpecs } from '../../src/core/options.ts';
import { randomFrom } from '../../src/core/random.ts';
import { clopperPearson } from '../../src/core/statistics/clopper-pearson.ts';
import type { OutputGuard, OutputSetting, Scores } from '../../src/gateway/output-guard.ts';
import { labelOnly } from '../../src/gateway/respond/label-only.ts';
import { poisoning } from '../../src/gateway/respond/poisoning.ts';
import { asProbabilities } from '../../src/gateway/respond/probabilities.ts';
import { reverseSigmoid } from '../../src/gateway/respond/reverse-sigmoid.ts';
import { rounding } from '../../src/gateway/respond/rounding.ts';
import { sampleDigests } from '../../src/gateway/respond/sample-digests.ts';
import { topK } from '../../src/gateway/respond/top-k.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { planRecipe } from '../../src/train/index.ts';
import { modelPath } from '../places.ts';
import { line } from './lines.ts';
import { DIGIT, digits, moved, naturalPictures } from './stateful/pictures.ts';
import { openVictim } from './stateful/victim.ts';

const { values } = parseArgs({
  options: {
    /** Cases that are known already: a JSON list of their names. */
    known: { type: 'string', default: '[]' },
    threads: { type: 'string', default: '1' },
  },
  strict: true,
});
const known = new Set(JSON.parse(values.known) as readonly string[]);

/** Digits that copies are compared on: the last of the test part, which no thief has. */
const COMPARED = 2000;
const BUDGETS = [35, 100, 300, 1000, 3000, 10_000, 30_000, 60_000];

/** Queries at which all ways to answer are tried; scores and labels are tried at all. */
const COMMON = new Set([1000, 10_000, 60_000]);
const MOST = 60_000;

const engine = startEngine({ threads: Number(values.threads) });
const victim = await openVictim(engine, modelPath('mnist-cnn'));
const test = digits('t10k');
const own = test.n - COMPARED;
const rng = randomFrom(20_261_121, 'steal');

/** Pictures that the thief has; none of them was trained on by the victim's owner. */
const POOLS = {
  /** 8,000 digits of the test part, and copies of them turned and shifted like another scanner's. */
  digits() {
    const x = new Float32Array(MOST * DIGIT);
    x.set(test.x.subarray(0, own * DIGIT));
    for (let i = own; i < MOST; i++) {
      const move = {
        turn: 0.2 * rng.normal(),
        zoom: 1 + 0.1 * rng.normal(),
        right: rng.normal(),
        down: rng.normal(),
      };
      moved(test.x, i % own, move, x.subarray(i * DIGIT, (i + 1) * DIGIT));
    }
    return x;
  },
  /** 10,000 natural pictures, and copies of them turned, zoomed, shifted or as negatives. */
  natural() {
    const { n, x: pictures } = naturalPictures();
    const x = new Float32Array(MOST * DIGIT);
    x.set(pictures);
    for (let i = n; i < MOST; i++) {
      const to = x.subarray(i * DIGIT, (i + 1) * DIGIT);
      const move = {
        turn: 3 * rng.normal(),
        zoom: 1 + rng.uniform(),
        right: 4 * rng.normal(),
        down: 4 * rng.normal(),
      };
      moved(pictures, i % n, move, to);
      if (rng.integer(2)) for (let p = 0; p < DIGIT; p++) to[p] = 1 - to[p]!;
    }
    return x;
  },
} as const;

const setting: OutputSetting = {
  classifier: {
    input: victim.target.input,
    sampleDims: [1, 28, 28],
    output: 'logits',
    classes: 10,
    gives: 'logits',
  },
  secret: new Uint8Array(32).fill(5),
};

/** What an answer tells. */
const ANSWERS: Readonly<Record<string, readonly OutputGuard[]>> = {
  scores: [],
  'two decimals': [rounding.make({ decimals: 2 }, setting)],
  'one decimal': [rounding.make({ decimals: 1 }, setting)],
  'top-1 score': [topK.make({ k: 1 }, setting)],
  label: [labelOnly.make({}, setting)],
  'reverse sigmoid': [reverseSigmoid.make({ beta: 1, gamma: 0.1 }, setting)],
  'poisoned, eps 0.5': [poisoning.make({ eps: 0.5 }, setting)],
  'poisoned, eps 1': [poisoning.make({ eps: 1 }, setting)],
};

const principal = { id: 'thief', tenant: 'thieves', credential: 'key', kind: 'key', roles: [] } as const;

function answered(
  logits: Float32Array,
  x: Float32Array,
  n: number,
  guards: readonly OutputGuard[],
): Float32Array {
  let scores: Scores = asProbabilities({ values: logits, n, classes: 10, gives: 'logits' });
  const inputs = x.subarray(0, n * DIGIT);
  for (const guard of guards)
    scores = guard.shape(scores, {
      principal,
      detail: 'scores',
      inputs: () => inputs,
      inputDigests: () => sampleDigests(inputs, n),
    });
  return scores.values;
}

const compared = test.x.slice(own * DIGIT);
const truth = test.y.slice(own);
const said = tops((await victim.look(compared, COMPARED)).scores);
line('victim', { accuracy: share(said, truth), compared: COMPARED });

/** First what matters most, so that a run that is stopped has it. */
const order = [...Object.keys(ANSWERS)].sort(
  (a, b) => Number(b === 'scores' || b === 'label') - Number(a === 'scores' || a === 'label'),
);
const made: Partial<Record<keyof typeof POOLS, Float32Array>> = {};
for (const answers of order)
  for (const pool of ['digits', 'natural'] as const)
    for (const budget of BUDGETS) {
      const id = `${pool}, ${answers}, ${budget}`;
      if (known.has(id)) continue;
      if (answers !== 'scores' && answers !== 'label' && !COMMON.has(budget)) continue;
      made[pool] ??= POOLS[pool]();
      const guards = ANSWERS[answers]!;
      const copyOptions = {
        engine,
        recipe: planRecipe('cnn(channels=16 32, hidden=64)'),
        steps: budget <= 3000 ? 600 : 1000,
        epochs: 60,
        batch: 64,
        rate: 3e-3,
        seed: 7,
      };
      const { answered: got } = await extract(planExtraction(parseSpecs('knockoff(batch=250)')[0]!), {
        oracle: {
          sampleDims: [1, 28, 28],
          classes: 10,
          batch: 250,
          parallel: 1,
          close: async () => {},
          ask: async (x, n) => answered((await victim.look(x, n)).scores, x, n, guards),
        },
        gives: 'probabilities',
        bounds: [0, 1],
        budget,
        pool: made[pool],
        rng: randomFrom(20_261_121, 'steal', pool),
        copy: copyOptions,
      });
      const copy = await trainCopy(got, { ...copyOptions, sampleDims: [1, 28, 28], classes: 10 });
      const copied = tops(await answersOf(engine, copy, compared, [1, 28, 28]));
      const agreeing = share(copied, said);
      line('copy', {
        id,
        pool,
        answers,
        queries: got.n,
        fidelity: agreeing,
        interval: clopperPearson(Math.round(agreeing * COMPARED), COMPARED),
        accuracy: share(copied, truth),
      });
    }
await victim.close();
await engine.close();

function tops(scores: Float32Array): Uint8Array {
  return Uint8Array.from({ length: scores.length / 10 }, (_, i) => {
    const row = scores.subarray(i * 10, (i + 1) * 10);
    return row.indexOf(Math.max(...row));
  });
}

function share(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((same, v, i) => same + (v === b[i] ? 1 : 0), 0) / a.length;
}
