import { parseArgs } from 'node:util';
import { randomFrom } from '../../src/core/random.ts';
import { clopperPearson } from '../../src/core/statistics/clopper-pearson.ts';
import { ATTACK_MONITORS } from '../../src/monitor/attack/registry.ts';
import type { Sighting } from '../../src/monitor/sighting.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { modelPath } from '../places.ts';
import { frozenSplit } from './guards/split.ts';
import { line } from './lines.ts';
import { watchingCost } from './monitors/cost.ts';
import { caughtAfter, type Queries } from './monitors/deliveries.ts';
import { FROZEN } from './monitors/frozen.ts';
import { ANSWERS, type Answer, type ServedVictim, serveVictim } from './monitors/gateway-run.ts';
import { hop, NoMoreAnswers } from './monitors/hops.ts';
import { type CalmCall, calmTraffic } from './monitors/traffic.ts';
import { calibrated, watchWith } from './monitors/watched.ts';
import { calmPrincipal, poolOf } from './stateful/calm-traffic.ts';
import { DIGIT, digits, moved, naturalPictures, noisy } from './stateful/pictures.ts';
import { openVictim } from './stateful/victim.ts';

const { values } = parseArgs({
  options: {
    /** Cases that are known already: a JSON list of their names. */
    known: { type: 'string', default: '[]' },
    /** A hundredth of everything, to try the program out. */
    tiny: { type: 'boolean', default: false },
  },
  strict: true,
});
const known = new Set(JSON.parse(values.known) as readonly string[]);
const scaled = (n: number, tiny: number) => (values.tiny ? tiny : n);
/** A trial must not look at what is measured. */
const other = (seed: number) => (values.tiny ? seed + 1000 : seed);

const engine = startEngine({ threads: 1 });
const victim = await openVictim(engine, modelPath('mnist-cnn'));
const train = digits('train');
const test = digits('t10k');

const calm: Sighting[] = [];
const learning = {
  ...FROZEN.learn,
  requests: scaled(FROZEN.learn.requests, 120),
  name: 'learn',
  start: 1.79e12,
  drifts: false,
};
for await (const block of calmTraffic(learning, train, victim))
  for (const { sighting } of block) calm.push(sighting);
/** Monitors of drift are measured only where calm traffic is looked at. */
const looksAtCalm = FROZEN.held.seeds.some((_, run) => !known.has(`calm ${run + 1}`));
const calibration = calibrated(calm, looksAtCalm ? undefined : ATTACK_MONITORS);
const attackNames = new Set(ATTACK_MONITORS.map(({ name }) => name));
if (looksAtCalm)
  line('learnt', {
    id: 'learnt',
    calls: calm.length,
    principals: learning.principals,
    monitors: Object.keys(calibration),
  });

/** Calm calls that go between an attack's: of the first held-out run, before it drifts. */
const around: Sighting[] = [];
for (const [run, seed] of FROZEN.held.seeds.entries()) {
  const id = `calm ${run + 1}`;
  if (known.has(id) && run > 0) continue;
  const setting = {
    ...FROZEN.held,
    requests: scaled(FROZEN.held.requests, 150),
    seed: other(seed),
    name: `held${run}`,
    start: 1.795e12,
    drifts: true,
  };
  const { watch } = watchWith(calibration);
  const found: {
    readonly monitor: string;
    readonly kind: string;
    readonly at: number;
    readonly principals: readonly string[];
  }[] = [];
  const spent = performance.now();
  let requests = 0;
  let inMonitors = 0;
  for await (const block of calmTraffic(setting, train, victim)) {
    const sightings = block.map(({ sighting }) => sighting);
    if (run === 0 && around.length < 20_000) around.push(...sightings);
    if (known.has(id)) {
      if (around.length >= 20_000) break;
      continue;
    }
    requests += sightings.length;
    const start = performance.now();
    found.push(...watch.see(sightings));
    inMonitors += performance.now() - start;
  }
  if (known.has(id)) continue;
  const attacks = found.filter(({ kind, monitor }) => kind === 'attack' && attackNames.has(monitor));
  const blamed = new Set(attacks.flatMap(({ principals }) => principals));
  const drift = found.filter(({ kind }) => kind === 'drift');
  const middle = setting.start + (setting.days / 2) * 86_400_000;
  line('calm', {
    id,
    ...{ requests, principals: setting.principals, days: setting.days },
    attackAlarms: attacks.length,
    blamed: blamed.size,
    perPrincipal: clopperPearson(blamed.size, setting.principals),
    perRequest: clopperPearson(attacks.length, requests),
    by: count(attacks.map(({ monitor }) => monitor)),
    /** Drift that the monitors of drift ascribe to few clients. */
    driftOfFew: count(
      found
        .filter(({ kind, monitor }) => kind === 'attack' && !attackNames.has(monitor))
        .map(({ monitor }) => monitor),
    ),
    driftAlarms: count(drift.filter(({ at }) => at >= middle).map(({ monitor }) => monitor)),
    /** Before anything drifted: false ones. */
    falseDrift: count(drift.filter(({ at }) => at < middle).map(({ monitor }) => monitor)),
    faults: found.filter(({ kind }) => kind === 'fault').length,
    highest: watch
      .states()
      .filter(({ monitor }) => attackNames.has(monitor))
      .map(({ monitor, series, threshold }) => ({
        monitor,
        share: Math.max(0, ...series.map(([, score]) => score)) / (threshold ?? 1),
      })),
    microseconds: (1000 * inMonitors) / requests,
    seconds: (performance.now() - spent) / 1000,
  });
}

// Digits that HopSkipJump starts from.
const chosen: number[] = [];
for (const i of frozenSplit('mnist-cnn').final) {
  if (chosen.length === scaled(FROZEN.runs, 2)) break;
  const { scores } = await victim.look(test.x.slice(i * DIGIT, (i + 1) * DIGIT), 1);
  if (scores.indexOf(Math.max(...scores)) === test.y[i]) chosen.push(i);
}
const KEPT = 2000;
const hops: {
  readonly digit: number;
  readonly queries: Queries;
  readonly nearer: readonly (readonly [number, number])[];
  readonly n: number;
}[] = [];
for (const digit of chosen) {
  const x0 = test.x.slice(digit * DIGIT, (digit + 1) * DIGIT);
  const most = known.has('hop unhindered') ? KEPT : scaled(FROZEN.hops, 1000);
  const run = await hop(async (x, n) => (await victim.look(x, n)).scores, x0, test.y[digit]!, {
    ...{ most, seed: FROZEN.attacks + digit, kept: KEPT },
  });
  const n = run.x.length / DIGIT;
  hops.push({
    digit,
    n: run.queries,
    nearer: run.nearer,
    queries: { n, x: run.x, scores: (await victim.look(run.x, n)).scores },
  });
}
if (!known.has('hop unhindered')) {
  const finals = hops.map(({ nearer }) => nearer.at(-1)![1]);
  const goal = median(finals);
  const after = (n: number) =>
    median(hops.map(({ nearer }) => nearer.findLast(([at]) => at <= n)?.[1] ?? Number.POSITIVE_INFINITY));
  const moments = [...new Set(hops.flatMap(({ nearer }) => nearer.map(([at]) => at)))].sort((a, b) => a - b);
  line('needed', {
    id: 'hop unhindered',
    ...{
      attack: 'HopSkipJump (l2)',
      runs: hops.length,
      queries: median(hops.map(({ n }) => n)),
      final: goal,
    },
    // The norm itself is only reached at the very end; what is within a hundredth and a tenth of it, earlier.
    needed: moments.find((n) => after(n) <= goal) ?? null,
    neededWithin1: moments.find((n) => after(n) <= 1.01 * goal) ?? null,
    neededWithin10: moments.find((n) => after(n) <= 1.1 * goal) ?? null,
  });
}

const natural = naturalPictures();
/** Natural pictures in the order of a draw; the first draw has no name of its own. */
const naturalIn = (draw: number): Float32Array => {
  const order = shuffled(
    natural.n,
    draw === 0 ? randomFrom(FROZEN.attacks, 'natural') : randomFrom(FROZEN.attacks, 'natural', draw),
  );
  const x = new Float32Array(scaled(8000, 500) * DIGIT);
  for (let i = 0; i < x.length / DIGIT; i++)
    x.set(natural.x.subarray(order[i]! * DIGIT, (order[i]! + 1) * DIGIT), i * DIGIT);
  return x;
};

// Through the gateway as it is served.
const KEYS = [1, 10] as const;
/** What rows through the gateway are called: with the rule that quarantines they have no other name. */
const through = (answer: Answer) => (answer === 'quarantine' ? 'gateway' : 'gateway by default');
/** Asks with one key after another until each is refused. */
interface ManyKeys {
  /** `undefined` when none is left. */
  ask(x: Float32Array, n: number): Promise<Float32Array | undefined>;
  /** What became of it, for the line; the gateway is closed then. */
  end(): Promise<Readonly<Record<string, unknown>>>;
}
async function withKeys(keys: number, answer: Answer): Promise<ManyKeys> {
  const served = await serveVictim(calibration, answer);
  const stop = await busy(served);
  const clients = await Promise.all(Array.from({ length: keys }, (_, k) => served.client(`evil ${k}`)));
  const dead = new Set<number>();
  let [answered, call] = [0, 0];
  const start = Date.now();
  return {
    async ask(x, n) {
      while (dead.size < keys) {
        const key = nextOf(call++, keys, dead);
        const said = await clients[key]!(x, n);
        if (said === undefined) {
          dead.add(key);
          continue;
        }
        answered += n;
        return said;
      }
      return undefined;
    },
    async end() {
      const milliseconds = Date.now() - start;
      const calmBlamed = await stop();
      const labelled = served.labelled();
      await served.close();
      return {
        keys,
        ...(answer === 'default' && { answer, labelled }),
        contained: dead.size === keys,
        answered,
        milliseconds,
        calmBlamed,
      };
    },
  };
}
const runsThrough = ANSWERS.flatMap((answer) =>
  Array.from({ length: scaled(FROZEN.runs, 2) }, (_, run) =>
    KEYS.map((keys) => ({ answer, run, keys })),
  ).flat(),
);
for (const { answer, run, keys } of runsThrough) {
  const id = `${through(answer)}, copy${run === 0 ? '' : ` ${run}`}, ${keys} keys`;
  if (known.has(id)) continue;
  const pictures = naturalIn(run);
  const attacker = await withKeys(keys, answer);
  for (let i = 0; (i + 32) * DIGIT <= pictures.length; i += 32)
    if ((await attacker.ask(pictures.subarray(i * DIGIT, (i + 32) * DIGIT), 32)) === undefined) break;
  const met = await attacker.end();
  line('contained', {
    ...{ id, attack: 'Copy with natural pictures', ...met },
    ...{ needed: FROZEN.copies, share: Number(met.answered) / FROZEN.copies },
  });
}
for (const { answer, run, keys } of runsThrough) {
  const digit = hops[run]?.digit;
  const id = `${through(answer)}, hop ${run}, ${keys} keys`;
  if (digit === undefined || known.has(id)) continue;
  const attacker = await withKeys(keys, answer);
  const { nearer } = await hop(
    async (x, n) => {
      const said = await attacker.ask(x, n);
      if (said === undefined) throw new NoMoreAnswers();
      return said;
    },
    test.x.slice(digit * DIGIT, (digit + 1) * DIGIT),
    test.y[digit]!,
    { most: scaled(FROZEN.hops, 1000), seed: FROZEN.attacks + digit },
  );
  const met = await attacker.end();
  line('contained', {
    ...{ id, attack: 'HopSkipJump (l2)', ...met },
    reached: nearer.at(-1)?.[1] ?? null,
  });
}

// Against the monitors alone, also by attackers who know them. Draws of copies but the natural pictures' are of 2026-11-23, after everything else was fixed.
const own = poolOf(test, 0, 8000);
const inDomain = (draw: number): Float32Array =>
  calmPrincipal('plain', test, own, scaled(4000, 200), randomFrom(FROZEN.attacks, 'in domain', draw)).x;
const elsewhere = (draw: number): Float32Array => {
  const rng = randomFrom(FROZEN.attacks, 'moved', draw);
  const x = new Float32Array(scaled(4000, 200) * DIGIT);
  for (let i = 0; i < x.length / DIGIT; i++)
    moved(
      test.x,
      i,
      {
        turn: 0.5 * rng.normal(),
        zoom: 1 + 0.2 * rng.normal(),
        right: 3 * rng.normal(),
        down: 3 * rng.normal(),
      },
      x.subarray(i * DIGIT, (i + 1) * DIGIT),
    );
  return x;
};
/** From digits to natural pictures, a little further each time. */
const blended = (draw: number): Float32Array => {
  const pictures = naturalIn(draw);
  const digitsFirst = shuffled(8000, randomFrom(FROZEN.attacks, 'blended', draw));
  const x = new Float32Array(scaled(6000, 400) * DIGIT);
  for (let i = 0; i < x.length / DIGIT; i++) {
    const share = Math.min(1, (2 * i * DIGIT) / x.length);
    const digit = digitsFirst[i % 8000]! * DIGIT;
    for (let p = 0; p < DIGIT; p++)
      x[i * DIGIT + p] = (1 - share) * test.x[digit + p]! + share * pictures[i * DIGIT + p]!;
  }
  return x;
};
const noise = (draw: number): Float32Array => {
  const rng = randomFrom(FROZEN.attacks, 'noise', draw);
  return Float32Array.from({ length: scaled(2000, 200) * DIGIT }, () => rng.uniform());
};
const looked = async (x: Float32Array): Promise<Queries> => {
  const n = x.length / DIGIT;
  return { n, x, scores: (await victim.look(x, n)).scores };
};
const ways = [
  { keys: 1, decoys: 0 },
  { keys: 10, decoys: 0 },
  { keys: 100, decoys: 0 },
  { keys: 1, decoys: 4 },
  { keys: 1, decoys: 19 },
  { keys: 10, decoys: 19 },
  { keys: 100, decoys: 19 },
];
const THEFTS = [
  { name: 'Copy with natural pictures', draw: naturalIn, ways },
  { name: 'Copy with noise', draw: noise, ways: ways.slice(0, 2) },
  { name: 'Copy with digits turned and shifted', draw: elsewhere, ways: ways.slice(0, 6) },
  { name: 'Copy with pictures that leave the domain slowly', draw: blended, ways: ways.slice(0, 3) },
  { name: 'Copy with digits like calm ones', draw: inDomain, ways: ways.slice(0, 2) },
];
for (const { name, draw, ways: tried } of THEFTS) {
  const idOf = ({ keys, decoys }: (typeof ways)[number]) => `${name}, ${keys} keys, ${decoys} decoys`;
  const left = tried.filter((way) => !known.has(idOf(way)));
  if (left.length === 0) continue;
  const thefts: Queries[] = [];
  for (let i = 0; i < scaled(FROZEN.runs, 2); i++) thefts.push(await looked(draw(i)));
  for (const way of left)
    line('alone', {
      ...{ id: idOf(way), attack: name, ...way },
      ...caughtOver(
        thefts.map((theft) => caughtAfter(calibration, theft, around, { ...way, name: idOf(way) })),
      ),
    });
}
const blinding = randomFrom(FROZEN.attacks, 'blinding');
const BLINDINGS = [
  { name: 'HopSkipJump (l2)', blind: (_: Float32Array) => {} },
  {
    name: 'HopSkipJump (l2), noise of 0.1 on each query',
    blind: (x: Float32Array) => noisy(x, 0.1, blinding),
  },
  {
    name: 'HopSkipJump (l2), noise of 0.3 on each query',
    blind: (x: Float32Array) => noisy(x, 0.3, blinding),
  },
];
for (const { name, blind } of BLINDINGS)
  for (const { keys, decoys } of ways) {
    const id = `${name}, ${keys} keys, ${decoys} decoys`;
    if (known.has(id)) continue;
    const all: ReturnType<typeof caughtAfter>[] = [];
    for (const { queries } of hops) {
      const x = queries.x.slice();
      for (let i = 0; i < queries.n; i++) blind(x.subarray(i * DIGIT, (i + 1) * DIGIT));
      all.push(
        caughtAfter(calibration, name === BLINDINGS[0]!.name ? queries : await looked(x), around, {
          keys,
          decoys,
          name: id,
        }),
      );
    }
    line('alone', { id, attack: name, ...{ keys, decoys }, ...caughtOver(all) });
  }
for (const perSecond of [800, 4000, 7000]) {
  const id = `cost ${perSecond}`;
  if (known.has(id)) continue;
  const setting = {
    ...{ ...FROZEN.held, requests: 200, seed: other(FROZEN.held.seeds[0]), name: 'cost', start: 1.795e12 },
    drifts: false,
  };
  const calls: CalmCall[] = [];
  for await (const block of calmTraffic(setting, train, victim)) calls.push(...block);
  line('cost', { id, ...(await watchingCost(calibration, calls, { perSecond, seconds: scaled(10, 2) })) });
}
await victim.close();
await engine.close();

/** Calm clients that ask the served model meanwhile; the function ends them and gives how many of them were quarantined. */
async function busy(served: ServedVictim): Promise<() => Promise<number>> {
  const { principals, perSecond } = FROZEN.around;
  const pool = poolOf(train, ...FROZEN.held.pool);
  const clients = await Promise.all(
    Array.from({ length: principals }, async (_, id) => ({
      ask: await served.client(`calm ${id}`),
      queries: calmPrincipal('plain', train, pool, 200, randomFrom(FROZEN.attacks, 'around', id)),
    })),
  );
  let [stopped, asked] = [false, 0];
  const pace = randomFrom(FROZEN.attacks, 'pace');
  const loop = (async () => {
    while (!stopped) {
      const { ask, queries } = clients[pace.integer(principals)]!;
      const at = (asked++ % 200) * DIGIT;
      await ask(queries.x.subarray(at, at + DIGIT), 1);
      await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return async () => {
    stopped = true;
    await loop;
    const orders = await served.orders();
    return new Set(orders.flatMap(({ principal }) => (principal?.startsWith('calm ') ? [principal] : [])))
      .size;
  };
}

/** The key whose turn it is, among those that still get answers. */
function nextOf(turn: number, keys: number, dead: ReadonlySet<number>): number {
  let key = turn % keys;
  while (dead.has(key)) key = (key + 1) % keys;
  return key;
}

/** What became of an attack's runs: how many were caught, with the interval, and medians. */
function caughtOver(all: readonly ReturnType<typeof caughtAfter>[]) {
  const caught = all.filter(({ all: after }) => after !== undefined).length;
  return {
    ...{ runs: all.length, caught, interval: clopperPearson(caught, all.length) },
    first: median(all.map(({ first }) => first ?? Number.POSITIVE_INFINITY)),
    all: median(all.map(({ all: after }) => after ?? Number.POSITIVE_INFINITY)),
    by: [...new Set(all.flatMap(({ by }) => by))],
    innocent: all.reduce((sum, { innocent }) => sum + innocent, 0),
  };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function count(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function shuffled(n: number, random: ReturnType<typeof randomFrom>): Int32Array {
  const all = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
