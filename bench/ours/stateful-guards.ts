import { parseArgs } from 'node:util';
import { extract } from '../../src/attack/extraction/extract.ts';
import { planExtraction } from '../../src/attack/extraction/registry.ts';
import { parseSpecs } from '../../src/core/options.ts';
import { randomFrom } from '../../src/core/random.ts';
import { clopperPearson } from '../../src/core/statistics/clopper-pearson.ts';
import { alarmsAmong } from '../../src/detect/calibration/threshold.ts';
import { type ClientDetector, highestScores } from '../../src/detect/clients/client-detector.ts';
import { nearDuplicateClients } from '../../src/detect/clients/near-duplicates.ts';
import { pradaClients } from '../../src/detect/clients/prada.ts';
import { shiftClients } from '../../src/detect/clients/query-shift.ts';
import { similarClients } from '../../src/detect/clients/similar-queries.ts';
import type { Observations, Watched } from '../../src/detect/detector.ts';
import { prada } from '../../src/detect/extraction/prada.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { planRecipe } from '../../src/train/index.ts';
import { median } from '../median.ts';
import { modelPath } from '../places.ts';
import { frozenSplit } from './guards/split.ts';
import { line } from './lines.ts';
import { type Calibrated, type CalmWorld, calibrated } from './stateful/calibrated.ts';
import { CALM_KINDS, type CalmKind, calmPrincipal, poolOf } from './stateful/calm-traffic.ts';
import {
  EVASION_CASES,
  type EvasionCase,
  PEER_CASES,
  THEFT_CASES,
  type TheftCase,
} from './stateful/cases.ts';
import { caughtAfter, type Delivery, PLAIN } from './stateful/delivery.ts';
import { FROZEN } from './stateful/frozen.ts';
import { peerTraces } from './stateful/peer-traces.ts';
import { DIGIT, digits, moved, naturalPictures } from './stateful/pictures.ts';
import { type Trace, traceAttack } from './stateful/trace.ts';
import { openVictim } from './stateful/victim.ts';

const { values } = parseArgs({
  options: {
    /** Cases that are known already: a JSON list of names. */
    known: { type: 'string', default: '[]' },
    /** A share of all clients and runs, to try things out. */
    share: { type: 'string', default: '1' },
  },
  strict: true,
});
const known = new Set(JSON.parse(values.known) as readonly string[]);
const share = Number(values.share);
const scaled = (n: number, least: number) => Math.max(least, Math.round(n * share));

const engine = startEngine({ threads: 1 });
const victim = await openVictim(engine, modelPath('mnist-cnn'));
const train = digits('train');
const test = digits('t10k');
const watched: Watched = { sampleDims: [1, 28, 28], classes: 10, gives: 'logits', features: victim.features };

/** What calm clients of a kind of traffic are, by turns. */
const DOCUMENTS: readonly CalmKind[] = ['plain', 'plain', 'plain', 'retries', 'resaves'];
const TRAFFIC = {
  /** Nobody sends frames of a camera. */
  documents: DOCUMENTS,
  /** One client in six does, and is not declared. */
  cameras: [...DOCUMENTS, 'camera'],
} as const satisfies Readonly<Record<string, readonly CalmKind[]>>;

const world: CalmWorld = { victim, train, watched, scaled };
const heldOutPool = poolOf(train, ...FROZEN.pools.heldOut);

const guards = [
  ...(await calibrated(world, TRAFFIC.documents, [
    { name: 'near-duplicates', detector: erased(nearDuplicateClients), streams: 'camera' },
    { name: 'similar-queries', detector: erased(similarClients) },
    { name: 'query-shift', detector: erased(shiftClients) },
  ])),
  ...(await calibrated(world, TRAFFIC.cameras, [
    { name: 'near-duplicates, undeclared cameras', detector: erased(nearDuplicateClients) },
  ])),
];
const decoys = await (async () => {
  const parts: Observations[] = [];
  for (let id = 0; id < 40; id++) {
    const rng = randomFrom(FROZEN.seeds.decoys, id);
    const { x, n } = calmPrincipal('plain', train, heldOutPool, FROZEN.queries, rng);
    parts.push({ n, x, ...(await victim.look(x, n)) });
  }
  return joined(parts);
})();

/** PRADA as a guard: on clients long enough for it to say anything, and against who knows nothing of it. */
const pradaIdOf = (id: string) => `prada guard, ${id}`;
const isPlain = ({ delivery, knows }: { readonly delivery: Delivery; readonly knows?: string }) =>
  delivery === PLAIN && knows === undefined;
const pradaCases = [
  ...[...EVASION_CASES.filter(isPlain).map(evasionIdOf), ...PEER_CASES.map(({ id }) => id)],
  ...THEFT_CASES.filter(isPlain).map(theftIdOf),
].map(pradaIdOf);
const pradaGuard = pradaCases.every((id) => known.has(id))
  ? []
  : await calibrated(
      world,
      TRAFFIC.documents,
      [{ name: 'prada, clients of 1,000 queries', detector: erased(pradaClients) }],
      FROZEN.prada,
    );

/** Runs of one case past each guard. */
function held(traces: readonly Trace[], delivery: Delivery, among: readonly Calibrated[] = guards) {
  return among.map((guard) => {
    const after = traces.map((trace) => caughtAfter(guard.open(), trace, decoys, delivery, guard.thresholds));
    return {
      guard: guard.name,
      rates: FROZEN.rates.map((rate, r) => {
        const queries = after.map((each) => each[r]!);
        const caught = queries.filter(Number.isFinite).length;
        // Caught before it had what it wanted, or having got nothing.
        const won = traces.filter(({ needed }, i) => needed < queries[i]!).length;
        const middle = median(queries);
        return {
          rate,
          caught,
          interval: clopperPearson(caught, traces.length),
          median: Number.isFinite(middle) ? middle : null,
          won,
          wonInterval: clopperPearson(won, traces.length),
        };
      }),
    };
  });
}

const split = frozenSplit('mnist-cnn').final;
const chosen: number[] = [];
for (const i of split) {
  if (chosen.length === scaled(FROZEN.runs, 2)) break;
  const x = test.x.slice(i * DIGIT, (i + 1) * DIGIT);
  const { scores } = await victim.look(x, 1);
  if (scores.indexOf(Math.max(...scores)) === test.y[i]) chosen.push(i);
}
let last: { readonly key: string; readonly traces: readonly Trace[] } | undefined;
for (const each of EVASION_CASES) {
  const { name, norm, spec, blinding = 'none', delivery, knows } = each;
  const id = evasionIdOf(each);
  const asksPrada = isPlain(each) && !known.has(pradaIdOf(id));
  if (known.has(id) && !asksPrada) continue;
  const key = `${spec} ${norm} ${blinding}`;
  const traces = last?.key === key ? last.traces : [];
  if (last?.key !== key)
    for (const i of chosen) {
      const x0 = test.x.slice(i * DIGIT, (i + 1) * DIGIT);
      (traces as Trace[]).push(
        await traceAttack(victim, each, x0, test.y[i]!, scaled(FROZEN.most, 300), FROZEN.seeds.attacks + i),
      );
    }
  last = { key, traces };
  if (!known.has(id)) tellEvasion({ id, name, norm, knows }, traces, delivery);
  if (asksPrada) tellPrada(id, { name, norm }, traces);
}
last = undefined;

function tellEvasion(named: object, traces: readonly Trace[], delivery: Delivery): void {
  const needed = median(traces.map((trace) => trace.needed));
  line('evasion', {
    ...named,
    delivery: delivery.name,
    runs: traces.length,
    succeeded: traces.filter((trace) => trace.needed < Number.POSITIVE_INFINITY).length,
    needed: Number.isFinite(needed) ? needed : null,
    guards: held(traces, delivery),
  });
}

function tellPrada(id: string, named: object, traces: readonly Trace[]): void {
  const needed = median(traces.map((trace) => trace.needed));
  line('prada-guard', {
    ...{ id: pradaIdOf(id), ...named, runs: traces.length },
    needed: Number.isFinite(needed) ? needed : null,
    guards: held(traces, PLAIN, pradaGuard),
  });
}

// What other libraries ask.
const targets = {
  x: chosen.map((i) => test.x.slice(i * DIGIT, (i + 1) * DIGIT)),
  labels: chosen.map((i) => test.y[i]!),
};
const peers = PEER_CASES.filter(({ id }) => !known.has(id) || !known.has(pradaIdOf(id)));
for await (const { of, traces, version } of peerTraces(victim, peers, targets, scaled(FROZEN.most, 300))) {
  const { id, name, norm } = of;
  if (!known.has(id)) tellEvasion({ id, name, norm, version }, traces, PLAIN);
  if (!known.has(pradaIdOf(id))) tellPrada(id, { name, norm, version }, traces);
}

const natural = naturalPictures();
const own = Float32Array.from(split.slice(1000, 4000), (i) => i);
const samples = new Float32Array(own.length * DIGIT);
for (const [k, i] of own.entries()) samples.set(test.x.subarray(i * DIGIT, (i + 1) * DIGIT), k * DIGIT);
const turned = new Float32Array(samples.length);
const rng = randomFrom(FROZEN.seeds.attacks, 'moved');
for (let i = 0; i < own.length; i++)
  moved(
    samples,
    i,
    {
      turn: 0.5 * rng.normal(),
      zoom: 1 + 0.2 * rng.normal(),
      right: 3 * rng.normal(),
      down: 3 * rng.normal(),
    },
    turned.subarray(i * DIGIT, (i + 1) * DIGIT),
  );
const POOLS = { natural: natural.x, digits: samples, moved: turned, none: new Float32Array(0) };
let theft: { readonly key: string; readonly traces: readonly Trace[] } | undefined;
for (const each of THEFT_CASES) {
  const { name, spec, pool, delivery, knows } = each;
  const id = theftIdOf(each);
  const asksPrada = isPlain(each) && !known.has(pradaIdOf(id));
  if (known.has(id) && !asksPrada) continue;
  const key = `${spec} ${pool}`;
  const traces = theft?.key === key ? theft.traces : [];
  if (theft?.key !== key)
    for (let run = 0; run < scaled(FROZEN.thefts.runs, 1); run++) {
      const { answered } = await extract(planExtraction(parseSpecs(spec)[0]!), {
        oracle: {
          sampleDims: [1, 28, 28],
          classes: 10,
          batch: 64,
          parallel: 1,
          close: async () => {},
          ask: async (x, n) => (await victim.look(x, n)).scores,
        },
        gives: 'logits',
        bounds: [0, 1],
        budget: FROZEN.thefts.queries,
        pool: POOLS[pool],
        rng: randomFrom(FROZEN.seeds.attacks, name, run),
        copy: {
          engine,
          recipe: planRecipe('cnn(channels=8 16, hidden=32)'),
          steps: 150,
          epochs: 30,
          batch: 32,
          rate: 2e-3,
          seed: run,
        },
      });
      const { x, n } = answered;
      (traces as Trace[]).push({ n, x, ...(await victim.look(x, n)), needed: Number.POSITIVE_INFINITY });
    }
  theft = { key, traces };
  if (asksPrada) tellPrada(id, { name }, traces);
  if (known.has(id)) continue;
  line('theft', {
    id,
    name,
    knows,
    delivery: delivery.name,
    runs: traces.length,
    guards: held(traces, delivery),
    prada: knows === undefined ? pradaOf(traces) : undefined,
  });
}
const longer = new Map<CalmKind, readonly Trace[]>();
for (const kind of CALM_KINDS) {
  const traces: Trace[] = [];
  for (let run = 0; run < scaled(10, 2); run++) {
    const rng = randomFrom(FROZEN.seeds.heldOut, 'long', kind, run);
    const { x, n } = calmPrincipal(kind, train, heldOutPool, FROZEN.thefts.queries, rng);
    traces.push({ n, x, ...(await victim.look(x, n)), needed: Number.POSITIVE_INFINITY });
  }
  longer.set(kind, traces);
}
for (const { name, thresholds, open } of guards) {
  const watch = open();
  const cameras = name.includes('cameras');
  const kinds = CALM_KINDS.filter((kind) => kind !== 'camera' || cameras);
  const highest = kinds.flatMap((kind) => [...highestScores(watch, longer.get(kind)!, kind)]);
  const alarms = thresholds.map((threshold) => alarmsAmong(highest, threshold));
  const intervals = alarms.map((n) => clopperPearson(n, highest.length));
  line('calm', {
    guard: `${name}, ten times as long`,
    thresholds,
    clients: highest.length,
    alarms,
    intervals,
  });
}
if (!known.has('prada on calm clients'))
  line('prada', {
    id: 'prada on calm clients',
    lowest: CALM_KINDS.map((kind) => ({ kind, lowest: pradaOf(longer.get(kind)!.slice(0, 5)) })),
  });
await victim.close();
await engine.close();

function evasionIdOf({ name, norm, spec, blinding = 'none', delivery }: EvasionCase): string {
  return `${name} ${norm} ${spec} ${blinding} ${delivery.name}`;
}

function theftIdOf({ name, delivery }: TheftCase): string {
  return `${name} ${delivery.name}`;
}

/** The lowest W that PRADA, without bounds, finds in each trace. */
function pradaOf(traces: readonly Trace[]): readonly number[] {
  return traces.map(({ n, x, scores }) => {
    const watch = prada({ width: DIGIT, classes: 10, most: 100_000, window: 5000 });
    let lowest = 1;
    for (let i = 0; i < n; i++) {
      const row = scores.subarray(i * 10, (i + 1) * 10);
      const w = watch.observe(x, i * DIGIT, row.indexOf(Math.max(...row)));
      if (w !== undefined) lowest = Math.min(lowest, w);
    }
    return lowest;
  });
}

/** A detector among others: what it learns goes back to itself alone. */
function erased<Fit>(detector: ClientDetector<Fit>): ClientDetector<unknown> {
  return detector as unknown as ClientDetector<unknown>;
}

function joined(parts: readonly Observations[]): Observations {
  const all = (of: (part: Observations) => Float32Array) => {
    const whole = new Float32Array(parts.reduce((n, part) => n + of(part).length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(of(part), at);
      at += of(part).length;
    }
    return whole;
  };
  return {
    n: parts.reduce((sum, { n }) => sum + n, 0),
    x: all(({ x }) => x),
    scores: all(({ scores }) => scores),
    features: all(({ features }) => features!),
  };
}
