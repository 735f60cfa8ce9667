import { parseArgs } from 'node:util';
import { extract } from '../../src/attack/extraction/extract.ts';
import { planExtraction } from '../../src/attack/extraction/registry.ts';
import { parseSpecs } from '../../src/core/options.ts';
import { randomFrom } from '../../src/core/random.ts';
import type { OutputGuard, OutputSetting, Scores } from '../../src/gateway/output-guard.ts';
import { labelOnly } from '../../src/gateway/respond/label-only.ts';
import { poisoning } from '../../src/gateway/respond/poisoning.ts';
import { asProbabilities } from '../../src/gateway/respond/probabilities.ts';
import { reverseSigmoid } from '../../src/gateway/respond/reverse-sigmoid.ts';
import { rounding } from '../../src/gateway/respond/rounding.ts';
import { sampleDigests } from '../../src/gateway/respond/sample-digests.ts';
import { topK } from '../../src/gateway/respond/top-k.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { modelPath } from '../places.ts';
import { line } from './lines.ts';
import { DIGIT } from './stateful/pictures.ts';
import { copyOptions, openJudge, poolsOf } from './stateful/theft.ts';
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

const BUDGETS = [35, 100, 300, 1000, 3000, 10_000, 30_000, 60_000];

/** Queries at which all ways to answer are tried; scores and labels are tried at all. */
const COMMON = new Set([1000, 10_000, 60_000]);

const engine = startEngine({ threads: Number(values.threads) });
const victim = await openVictim(engine, modelPath('mnist-cnn'));
const poolOf = poolsOf();
const { judge, victim: itself } = await openJudge(engine, victim);
line('victim', itself);

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

/** First what matters most, so that a run that is stopped has it. */
const order = [...Object.keys(ANSWERS)].sort(
  (a, b) => Number(b === 'scores' || b === 'label') - Number(a === 'scores' || a === 'label'),
);
for (const answers of order)
  for (const pool of ['digits', 'natural'] as const)
    for (const budget of BUDGETS) {
      const id = `${pool}, ${answers}, ${budget}`;
      if (known.has(id)) continue;
      if (answers !== 'scores' && answers !== 'label' && !COMMON.has(budget)) continue;
      const guards = ANSWERS[answers]!;
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
        pool: poolOf(pool),
        rng: randomFrom(20_261_121, 'steal', pool),
        copy: copyOptions(engine, budget),
      });
      line('copy', { id, pool, answers, queries: got.n, ...(await judge(got, budget)) });
    }
await victim.close();
await engine.close();
