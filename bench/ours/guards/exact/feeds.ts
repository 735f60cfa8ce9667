import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runAttack } from '../../../../src/assess/evasion.ts';
import type { Loaded } from '../../../../src/assess/load.ts';
import { planAttack } from '../../../../src/attack/registry.ts';
import { silent } from '../../../../src/core/progress.ts';
import { randomFrom } from '../../../../src/core/random.ts';
import { thresholdFor } from '../../../../src/detect/calibration/threshold.ts';
import { likeliest } from '../../../../src/detect/likeliest.ts';
import type { GuardedInput, InputGuard } from '../../../../src/gateway/guard.ts';
import { feedsGuard } from '../../../../src/gateway/guards/feeds.ts';
import type { Engine } from '../../../../src/runtime/engine.ts';
import { classificationGoal } from '../../../../src/threat/goal.ts';
import { RATES } from '../detectors.ts';
import { callOf, made } from '../plain.ts';
import { tell } from './finding.ts';
import { FROZEN, type Part } from './frozen.ts';
import { meanAt, type Stream, streamOf, windowAt } from './market.ts';
import { openNetwork, writeNetwork } from './network.ts';

const { feed } = FROZEN;
const SETTINGS = ['as it is', 'at 0.1 %', 'at 1 %'];
const FORM = { sampleDims: [feed.window], classes: 2, gives: 'logits' } as const;
/** The first reading with a whole window behind it. */
const FIRST = feed.window - 1;

/** A request on its way to the gateway. */
interface Sent {
  readonly principal: string;
  readonly now: number;
  readonly taken: number;
  readonly sequence: number;
  readonly a: number;
  readonly b: number;
  readonly x: Float32Array;
  /** Whether it counts, and what the network would be shown were nothing wrong; nothing where that makes no difference. */
  readonly counts: boolean;
  readonly instead?: Float32Array | undefined;
}

/** The guard's tolerances. */
interface Limits {
  readonly maxAge: number;
  readonly relative: number;
}

/** Measures the guard on a simulated market: two sources, one request a second of each principal. */
export async function measureFeeds(engine: Engine, folder: string, part: Part): Promise<void> {
  const rng = randomFrom(FROZEN.seeds[part], 'feeds');
  const many = (name: string, { principals, requests }: { principals: number; requests: number }) =>
    Array.from({ length: principals }, (_, i) =>
      streamOf(`${name} ${i}`, requests + FIRST, rng.fork(name, i)),
    );
  const place = join(folder, 'feeds');
  mkdirSync(place, { recursive: true });
  const known = Array.from({ length: feed.train }, (_, i) => streamOf('', feed.window, rng.fork('train', i)));
  const samplesOf = (windows: readonly (readonly [Stream, number])[]) => ({
    x: joinedOf(windows.map(([stream, t]) => windowAt(stream, t))),
    y: windows.map(([{ mood }, t]) => mood[t]!),
    dims: [feed.window],
  });
  await writeNetwork(engine, place, samplesOf(known.map((stream) => [stream, FIRST])), 20);
  const streams = many('attacked', feed.attacked);
  const tenth = streams.flatMap((stream) =>
    Array.from({ length: feed.attacked.requests / 10 }, (_, k) => [stream, FIRST + 10 * k] as const),
  );
  const loaded = await openNetwork(engine, place, samplesOf(tenth), [-1000, 1000]);
  const answers = async (xs: readonly Float32Array[]) =>
    likeliest(await loaded.subject.predictor.predict(joinedOf(xs), xs.length, undefined), xs.length, 2);

  const usual: Limits = { maxAge: 60, relative: 0.001 };
  const limits = [usual, ...RATES.map((rate) => limitsFor(many('threshold', feed.threshold), rate))];
  const guardsOf = () =>
    limits.map(({ maxAge, relative }) =>
      made(
        feedsGuard,
        {
          mostRepeats: feed.mostRepeats,
          feeds: [
            {
              name: 'price',
              time: { parameter: 'at', maxAge, maxAhead: feed.maxAhead },
              sequence: { parameter: 'sequence' },
              agree: { parameters: ['a', 'b'], relative },
            },
          ],
        },
        FORM,
      ),
    );
  const common = { guard: 'feeds', subject: 'a market', settings: SETTINGS };
  const report = async (
    kind: 'calm' | 'accident' | 'attacked' | 'adaptive',
    name: string,
    sent: readonly Sent[] | readonly (readonly Sent[])[],
  ) => {
    const results = [];
    for (const [k, guard] of guardsOf().entries()) {
      const own = (Array.isArray(sent[0]) ? sent[k] : sent) as readonly Sent[];
      results.push(await resultOf(guard, own, answers));
    }
    const changes = results.every(({ fooled }) => fooled !== undefined);
    tell({
      ...common,
      kind,
      name,
      n: results.map(({ n }) => n),
      refused: results.map(({ refused }) => refused),
      ...(changes && {
        fooled: results.map(({ fooled }) => fooled!),
        passed: results.map(({ passed }) => passed),
      }),
    });
  };

  const calm = many('calm', feed.calm).flatMap((stream) => readingsOf(stream).map((t) => sentAt(stream, t)));
  const shown = limits.map(({ maxAge, relative }) => `${maxAge.toFixed(2)} s, ${relative.toPrecision(2)}`);
  await report('calm', `calm (maxAge and relative: ${shown.join('; ')})`, calm);

  const all = (of: (stream: Stream, t: number) => readonly Sent[]) =>
    streams.flatMap((stream) => readingsOf(stream).flatMap((t) => of(stream, t)));
  for (const seconds of feed.delays)
    await report(
      'accident',
      `late by ${seconds} s`,
      all((stream, t) => {
        const then = t + Math.round((1000 * seconds) / feed.every);
        if (then >= stream.a.length) return [];
        const honest = sentAt(stream, t);
        return [
          { ...honest, now: honest.now + 1000 * seconds, counts: true, instead: windowAt(stream, then) },
        ];
      }),
    );
  await report(
    'accident',
    'stands still, with new times and numbers',
    all((stream, t) => {
      const honest = sentAt(stream, t);
      const still = FIRST + 100;
      if (t <= still) return [honest];
      const { a, b, x } = sentAt(stream, still);
      return [{ ...honest, a, b, x, counts: true, instead: honest.x }];
    }),
  );
  await report('accident', "the source's clock is ahead by 1 s", all(clockAhead(1)));
  await report('accident', "the source's clock is ahead by 3 s", all(clockAhead(3)));
  const again = (principal: (own: string) => string, later: number) =>
    streams.flatMap((stream) => {
      const sent = readingsOf(stream).flatMap((t) => {
        const honest = sentAt(stream, t);
        const copy = {
          ...honest,
          principal: principal(honest.principal),
          now: honest.now + later,
          counts: true,
        };
        return t % 10 === 0 ? [honest, copy] : [honest];
      });
      return sent.sort((one, other) => one.now - other.now);
    });
  await report(
    'attacked',
    'a recorded request once more, 0.5 s later',
    again((own) => own, 500),
  );
  await report(
    'attacked',
    'the same through another principal',
    again((own) => `not ${own}`, 500),
  );
  await report(
    'attacked',
    'the same after 65 s',
    again((own) => `not ${own}`, 65_000),
  );

  for (const steps of feed.steps)
    await report('attacked', `one source off by ${steps} steps`, await off(streams, steps, false, answers));

  const predicted = Int32Array.from(await answers(tenth.map(([stream, t]) => windowAt(stream, t))));
  const within = async (eps: number, x0: readonly Float32Array[]) => pgd(loaded, predicted, eps, x0);
  const inBand: Sent[][] = [];
  for (const { relative } of limits) {
    // The second source's own prices, each moved by as much as the two may differ.
    const x0 = tenth.map(([{ b }, t]) => windowAt({ a: b, b }, t));
    const x = await within((0.97 * relative) / feed.step, x0);
    inBand.push(
      tenth.map(([stream, t], i) => {
        const honest = sentAt(stream, t);
        const a = meanAt(stream, t) * (1 + feed.step * x[i]!.at(-1)!);
        return { ...honest, a, x: x[i]!, counts: true, instead: honest.x };
      }),
    );
  }
  await report('adaptive', 'one source, all readings as far off as may be', inBand);
  for (const steps of feed.steps)
    await report('adaptive', `both sources off by ${steps} steps`, await off(streams, steps, true, answers));
  for (const seconds of feed.delays.filter((each) => each >= 1))
    await report(
      'adaptive',
      `late by ${seconds} s, with new times and numbers`,
      all((stream, t) => {
        const then = t - Math.round((1000 * seconds) / feed.every);
        if (then < FIRST) return [];
        const honest = sentAt(stream, t);
        const { a, b, x } = sentAt(stream, then);
        return [{ ...honest, a, b, x, counts: true, instead: honest.x }];
      }),
    );
  const x = await within(
    1,
    tenth.map(([stream, t]) => windowAt(stream, t)),
  );
  await report(
    'adaptive',
    'the caller tells the truth of its feed and sends another input (1 step)',
    tenth.map(([stream, t], i) => {
      const honest = sentAt(stream, t);
      return { ...honest, x: x[i]!, counts: true, instead: honest.x };
    }),
  );
  await loaded.close();
}

/** Tolerances that calm streams exceed at the stated rate in all: half of it for age, half for disagreement. */
function limitsFor(streams: readonly Stream[], rate: number): Limits {
  const of = (value: (stream: Stream, t: number) => number) =>
    thresholdFor(
      streams.flatMap((stream) => readingsOf(stream).map((t) => value(stream, t))),
      rate / 2,
    )!.threshold;
  return {
    maxAge: of(({ arrives, taken }, t) => arrives[t]! - taken[t]!) / 1000,
    relative: of(({ a, b }, t) => Math.abs(a[t]! - b[t]!) / Math.max(a[t]!, b[t]!)),
  };
}

const readingsOf = ({ a }: Stream): readonly number[] =>
  Array.from({ length: a.length - FIRST }, (_, i) => FIRST + i);

function sentAt(stream: Stream, t: number): Sent {
  return {
    principal: stream.principal,
    now: stream.arrives[t]!,
    taken: stream.taken[t]!,
    sequence: t,
    a: stream.a[t]!,
    b: stream.b[t]!,
    x: windowAt(stream, t),
    counts: stream.principal.startsWith('calm'),
  };
}

const clockAhead = (seconds: number) => (stream: Stream, t: number) => {
  const honest = sentAt(stream, t);
  return [{ ...honest, taken: honest.taken + 1000 * seconds, counts: true }];
};

/** Each reading by itself off by so many steps, in whichever direction changes the answer; of one source or of both. */
async function off(
  streams: readonly Stream[],
  steps: number,
  both: boolean,
  answers: (xs: readonly Float32Array[]) => Promise<ArrayLike<number>>,
): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  for (const stream of streams) {
    const times = readingsOf(stream);
    const ways = [1, -1].map((sign) =>
      times.map((t): Sent => {
        const honest = sentAt(stream, t);
        const by = 1 + sign * steps * feed.step;
        const a = honest.a * by;
        const b = both ? honest.b * by : honest.b;
        return { ...honest, a, b, x: windowAt(stream, t, [a, b]), counts: true, instead: honest.x };
      }),
    );
    const [up, down] = ways as [Sent[], Sent[]];
    const before = await answers(up.map(({ instead }) => instead!));
    const after = await answers(up.map(({ x }) => x));
    for (const i of times.keys()) sent.push(after[i] !== before[i] ? up[i]! : down[i]!);
  }
  return sent;
}

/** Windows near these that the network answers otherwise than `predicted`, within so many steps of each reading. */
async function pgd(
  loaded: Loaded,
  predicted: Int32Array,
  eps: number,
  x0: readonly Float32Array[],
): Promise<readonly Float32Array[]> {
  const { x } = await runAttack(
    loaded.subject,
    planAttack({ name: 'pgd', options: { steps: 40 } }),
    classificationGoal(predicted, 2),
    { norm: 'linf', eps, bounds: loaded.bounds },
    joinedOf(x0),
    { reached: new Uint8Array(x0.length) },
    { seed: 0, batch: 100, firstSample: 0, progress: silent },
  );
  return x0.map((_, i) => x.slice(i * feed.window, (i + 1) * feed.window));
}

/** What a guard did with requests in their order, of those that count. */
async function resultOf(
  guard: InputGuard,
  sent: readonly Sent[],
  answers: (xs: readonly Float32Array[]) => Promise<ArrayLike<number>>,
) {
  const counted = sent.filter(({ counts }) => counts);
  const isRefused = new Map<Sent, boolean>();
  for (const each of sent) isRefused.set(each, (await guard.judge(callFor(each))).action !== 'pass');
  const refused = counted.filter((each) => isRefused.get(each)).length;
  if (counted.some(({ instead }) => instead === undefined))
    return { n: counted.length, refused, fooled: undefined, passed: 0 };
  const now = await answers(counted.map(({ x }) => x));
  const honest = await answers(counted.map(({ instead }) => instead!));
  const changed = counted.filter((_, i) => now[i] !== honest[i]);
  const passed = changed.filter((each) => !isRefused.get(each)).length;
  return { n: counted.length, refused, fooled: changed.length, passed };
}

function callFor({ principal, now, taken, sequence, a, b, x }: Sent): GuardedInput {
  const call = callOf(x, 1, FORM);
  return {
    ...call,
    principal: { ...call.principal, id: principal },
    parameters: { at: taken, sequence, a, b },
    now,
  };
}

function joinedOf(xs: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(xs.length * feed.window);
  for (const [i, x] of xs.entries()) out.set(x, i * feed.window);
  return out;
}
