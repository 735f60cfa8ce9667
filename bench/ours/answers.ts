/**
 * What each output guard costs and does: microseconds a sample on one thread, and on the scores of a real model how many classes change, how far scores move and how many different answers are left.
 * `node bench/ours/answers.ts MODEL.onnx DATA` prints a table; times are the best of several rounds and mean nothing on a busy machine.
 */

import { fileSource } from '../../src/assess/file-source.ts';
import { randomFrom } from '../../src/core/random.ts';
import { adaptDataset, openDataset } from '../../src/data/index.ts';
import { guardedInput } from '../../src/gateway/guarded-call.ts';
import type { OutputGuard, OutputSetting, Scores, Shaping } from '../../src/gateway/output-guard.ts';
import { answersSchema, openAnswers } from '../../src/gateway/respond/index.ts';
import { labelOnly } from '../../src/gateway/respond/label-only.ts';
import { likeliest } from '../../src/gateway/respond/likeliest.ts';
import { poisoning } from '../../src/gateway/respond/poisoning.ts';
import { asProbabilities } from '../../src/gateway/respond/probabilities.ts';
import { reverseSigmoid } from '../../src/gateway/respond/reverse-sigmoid.ts';
import { rounding } from '../../src/gateway/respond/rounding.ts';
import { sampleDigests } from '../../src/gateway/respond/sample-digests.ts';
import { temperature } from '../../src/gateway/respond/temperature.ts';
import { topK } from '../../src/gateway/respond/top-k.ts';
import { watermark } from '../../src/gateway/respond/watermark.ts';
import { startEngine } from '../../src/runtime/engine.ts';

const ROUNDS = 7;
const PRINCIPAL = { id: 'bench', tenant: 'bench', credential: 'k', kind: 'key', roles: [] } as const;
const SECRET = new Uint8Array(32).fill(42);

const guardsFor = (setting: OutputSetting): Readonly<Record<string, OutputGuard>> => ({
  'rounding, 4 decimals': rounding.make({ decimals: 4 }, setting),
  'rounding, 2 decimals': rounding.make({ decimals: 2 }, setting),
  'rounding, 2 digits': rounding.make({ significant: 2 }, setting),
  'top-k, 3': topK.make({ k: 3 }, setting),
  'label-only': labelOnly.make({}, setting),
  'temperature, 4': temperature.make({ t: 4 }, setting),
  'reverse-sigmoid': reverseSigmoid.make({ beta: 1, gamma: 0.1 }, setting),
  'poisoning, eps 0.5': poisoning.make({ eps: 0.5 }, setting),
  'poisoning, eps 1': poisoning.make({ eps: 1 }, setting),
  'watermark, 0.5 %': watermark.make({ rate: 0.005 }, setting),
});

/** Microseconds a sample: the best round, because others are slowed by what else runs. */
function microseconds(samples: number, work: () => void): number {
  work();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return (1000 * best) / samples;
}

/** Softmax rows like those of a classifier: most of the mass on one class. */
function drawn(classes: number, n: number): Scores {
  const rng = randomFrom(1, 'answers', classes);
  const values = Float32Array.from({ length: n * classes }, () => 3 * rng.normal());
  return asProbabilities({ values, n, classes, gives: 'logits' });
}

async function main([model, data]: readonly string[]): Promise<void> {
  if (model === undefined || data === undefined) throw new Error('expected MODEL.onnx and DATA');
  const engine = startEngine({});
  try {
    const source = await fileSource(engine, { model });
    const dataset = await openDataset(data);
    const adapted = await adaptDataset(dataset, { ...source.input, dtype: 'float32' }, {});
    const { x } = await adapted.read(0, adapted.n);
    const n = adapted.n;
    const size = x.length / n;
    const { subject } = await source.open(adapted.shape, { x: x.slice(0, 8 * size), count: 8 });
    const { classes } = subject;
    const values = await subject.predictor.predict(x.slice(), n);
    const classifier = {
      input: 'x',
      sampleDims: adapted.shape,
      output: 'y',
      classes,
      gives: 'logits',
    } as const;
    const setting = { classifier, secret: SECRET };
    const scores = asProbabilities({ values, n, classes, gives: 'logits' });
    const digests = sampleDigests(x, n);
    const shaping: Shaping = {
      principal: PRINCIPAL,
      detail: 'scores',
      inputDigests: () => digests,
      inputs: () => x,
    };
    const labels = adapted.labels!;
    const right = (s: Scores) => {
      let count = 0;
      for (let row = 0; row < n; row++)
        if (likeliest(s.values, row * classes, classes) === labels[row]) count++;
      return count / n;
    };
    const wide = drawn(1000, 500);
    const wideShaping: Shaping = { ...shaping, inputDigests: () => digests.slice(0, 500) };
    const wideSetting = { ...setting, classifier: { ...classifier, classes: 1000 } };
    const wideGuards = guardsFor(wideSetting);
    const rows = Object.entries(guardsFor(setting)).map(([name, guard]) => {
      const told = guard.shape(scores, shaping);
      let [changed, moved] = [0, 0];
      const different = new Set<string>();
      for (let row = 0; row < n; row++) {
        const at = row * classes;
        if (likeliest(told.values, at, classes) !== likeliest(scores.values, at, classes)) changed++;
        for (let k = at; k < at + classes; k++) moved += Math.abs(told.values[k]! - scores.values[k]!);
        different.add(told.values.subarray(at, at + classes).join());
      }
      return {
        guard: name,
        accuracy: right(told),
        changed: changed / n,
        moved: moved / n,
        different: different.size,
        us: microseconds(n, () => guard.shape(scores, shaping)),
        us1000: microseconds(500, () => wideGuards[name]!.shape(wide, wideShaping)),
      };
    });
    const served = {
      name: 'm',
      version: '1',
      digest: '',
      metadata: { name: 'm', platform: '', inputs: [], outputs: [] },
      classifier,
      run: async () => ({ outputs: [] }),
    };
    const single = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, ...adapted.shape], data: x.slice(0, size) }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, classes], data: values.slice(0, classes) }],
    } as const;
    const whole = (config: object) => {
      const answers = openAnswers(answersSchema.parse(config), { model: served, secret: SECRET });
      const calls = 20_000;
      return microseconds(calls, () => {
        for (let i = 0; i < calls; i++) {
          const { inputs, outputs } = single;
          const call = guardedInput({
            model: served,
            principal: PRINCIPAL,
            address: '192.0.2.7',
            n: 1,
            inputs,
            parameters: {},
            now: 0,
          });
          answers.shape(call, { outputs }, { detail: 'scores', step: 'full' });
        }
      });
    };
    process.stdout.write(
      `${[
        `${n} samples, ${classes} classes, accuracy ${(100 * right(scores)).toFixed(2)} % as the model gives them`,
        '',
        `| guard | accuracy | classes changed | scores move (L1) | different answers | µs, ${classes} classes | µs, 1,000 classes |`,
        '|---|---|---|---|---|---|---|',
        ...rows.map(
          (row) =>
            `| ${row.guard} | ${(100 * row.accuracy).toFixed(2)} % | ${(100 * row.changed).toFixed(2)} % | ${row.moved.toFixed(4)} | ${row.different} | ${row.us.toFixed(2)} | ${row.us1000.toFixed(1)} |`,
        ),
        '',
        `digest of a sample of ${size} floats: ${microseconds(n, () => sampleDigests(x, n)).toFixed(2)} µs`,
        `the whole of serve.answers for one sample, as it is unless set: ${whole({}).toFixed(2)} µs; with poisoning and watermark: ${whole({ guards: [{ kind: 'poisoning' }], watermark: {} }).toFixed(2)} µs`,
        '',
      ].join('\n')}`,
    );
    await subject.target?.close();
    await subject.oracle.close();
    await subject.predictor.close();
    await dataset.close();
  } finally {
    await engine.close();
  }
}

await main(process.argv.slice(2));
