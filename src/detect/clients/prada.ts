import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { randomFrom } from '../../core/random.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { type Prada, type PradaState, prada } from '../extraction/prada.ts';
import { openSignedSums } from '../features/signed-sums.ts';
import { likeliest } from '../likeliest.ts';
import { recent } from '../queries/recent.ts';
import { stateFromBytes, stateToBytes } from '../state-bytes.ts';
import { defineClientDetector, highestScores, quantile } from './client-detector.ts';

const kept = z.strictObject({ level: z.number().gt(0).max(1) });

const KIND = 'prada/1';

/** Numbers that stand for a query: signed sums of its elements, which keep distances to about a tenth. */
const WIDTH = 64;
/** Queries of a client that are remembered, over all classes, and distances that are judged. */
const ROWS = 384;
const WINDOW = 1000;
/** The least 1 − W that is an alarm: W below 0.95, in the middle of what was published. */
const LEAST = 0.05;
/** Queries of a calm client of which at least one judgement comes. */
const JUDGED = 150;

interface Asker {
  readonly watch: Prada;
  /** 1 − W of the newest judgement; 0 before the first. */
  evidence: number;
}

const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const number = z.number();
const set = z.strictObject({
  ...{ label: whole, size: whole, threshold: number, joined: whole, sum: number, squares: number },
});
const memory = z
  .array(
    z.strictObject({
      name: z.string(),
      evidence: z.number().min(0).max(1),
      asked: whole,
      sets: z.array(set),
      distances: z.array(number).max(WINDOW),
      labels: z.array(whole).max(WINDOW),
      rows: whole,
    }),
  )
  .max(2 ** 20);

/**
 * Clients whose queries lie at distances from each other that are not normal: see {@link prada}. Deviation: queries are compared by {@link WIDTH} random sums of their elements, and
 * {@link ROWS} of them are remembered, because the published sets take 3 KB a digit and only grow. Cost: that many sums and distances.
 */
export const pradaClients = defineClientDetector<z.output<typeof kept>>({
  id: 'prada',
  needs: 'inputs',
  kept,
  fit(clients, watched) {
    const longest = clients.reduce((most, { n }) => Math.max(most, n), 0);
    if (longest < JUDGED)
      throw new GlacisError(
        'data/mismatch',
        `prada: expected calm clients of at least ${JUDGED} queries, 30,000 calm samples in all, got ${longest}`,
      );
    const memory = { salt: 0, capacity: 16, askers: clients.length };
    const found = highestScores(this.open({ level: 1 }, watched, memory), clients);
    return { level: Math.min(1, Math.max(LEAST, quantile([...found], 0.99))) };
  },
  open({ level }, { sampleDims, classes }, { askers }, state) {
    const size = elementCount(sampleDims);
    const settings = {
      ...{ width: WIDTH, window: WINDOW, classes: Math.min(classes, ROWS / 2) },
      most: Math.max(2, Math.floor(ROWS / classes)),
    };
    const known = recent<string, Asker>(askers);
    for (const [name, asker] of state ? restored(state) : [])
      known.at(name, () => ({ watch: prada(settings, asker), evidence: asker.evidence }));
    const shorten = openSignedSums(randomFrom(0, 'prada', size), size, WIDTH);
    const row = new Float32Array(WIDTH);
    return {
      observe(name, { x, scores }, i) {
        const asker = known.at(name, () => ({ watch: prada(settings), evidence: 0 }));
        shorten(x, i * size, row);
        // What has no distance to anything gets no place among the others: it would hide them.
        if (row.every(Number.isFinite)) {
          const [label] = likeliest(scores.subarray(i * classes, (i + 1) * classes), 1, classes);
          const w = asker.watch.observe(row, 0, label!);
          if (w !== undefined) asker.evidence = Math.min(1, Math.max(0, 1 - w));
        }
        return { score: asker.evidence / level, seen: `W ${(1 - asker.evidence).toFixed(3)}` };
      },
      snapshot() {
        const list = [...known.entries()].map(([name, { watch, evidence }]) => {
          const { rows, ...plain } = watch.snapshot();
          return { rows, plain: { name, evidence, ...plain, rows: rows.length } };
        });
        const rows = new Float32Array(list.reduce((total, each) => total + each.rows.length, 0));
        let at = 0;
        for (const each of list) {
          rows.set(each.rows, at);
          at += each.rows.length;
        }
        return stateToBytes({ kind: KIND, plain: list.map(({ plain }) => plain), arrays: { rows } });
      },
    };
  },
});

function restored(state: Uint8Array): readonly [string, PradaState & { readonly evidence: number }][] {
  const { plain, arrays } = stateFromBytes(KIND, state);
  const read = memory.safeParse(plain);
  const { rows } = arrays;
  const length = read.data?.reduce((total, each) => total + each.rows, 0);
  if (!read.success || !(rows instanceof Float32Array) || rows.length !== length)
    throw new GlacisError('result/invalid', `state of ${KIND}: expected what was kept, got something else`);
  let from = 0;
  return read.data.map(({ name, rows: count, ...rest }) => {
    from += count;
    return [name, { ...rest, rows: rows.slice(from - count, from) }];
  });
}
