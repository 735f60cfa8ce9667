import { setTimeout as wait } from 'node:timers/promises';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import { decodeModelMetadata } from '../../oip/metadata.ts';
import { endpointAddress } from '../../runtime/endpoint-address.ts';
import { credentialsFrom } from '../../runtime/endpoint-credentials.ts';
import { interfaceFrom } from '../../runtime/endpoint-interface.ts';
import { exchangeOnce } from '../../runtime/http-exchange.ts';
import { ENOUGH, judge } from './judge.ts';
import { measure } from './measure.ts';
import { contentFrom, prepareQueries } from './queries.ts';
import { TIMING_SCHEMA, type TimingResult } from './result.ts';
import { timedSender } from './timed-sender.ts';

/** What {@link attackTiming} may be told. */
export interface TimingAttackOptions {
  /** `http(s)://HOST/v2/models/NAME`: describes the model, and gets the queries of class a. */
  readonly url: string;
  /** Where class b goes, such as a model that may not be used; the same unless given. */
  readonly urlB?: string | undefined;
  /** `zeros`, `random`, `data:DATA` or `same:DATA`. */
  readonly a: string;
  readonly b: string;
  readonly token?: string | undefined;
  /** The credentials of class b, such as none that are valid; those of a unless given. */
  readonly tokenB?: string | undefined;
  readonly pairs: number;
  /** Most questions a second. */
  readonly rate: number;
  readonly seed: number;
  readonly input?: string | undefined;
  readonly shape?: readonly number[] | undefined;
  /** A model whose description says what to send, where `url` has none to show: one that may not be used, or does not exist. */
  readonly describedBy?: string | undefined;
  readonly range?: readonly [number, number] | undefined;
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly say: (text: string) => void;
  readonly command: string;
}

const METADATA_BYTES = 2 ** 20;
const WARMUP = 200;
/** Share of answers that say "later" from which on the limit is measured and not the model. */
const THROTTLED = 0.01;

/**
 * Measures what an endpoint's timing tells about the class of a query: asks two classes of queries in pairs, in random order, and
 * looks for a difference as dudect does, by ranks, by mutual information and by an attacker's guesses; lengths and statuses of the
 * answers as well. Only bodies and addresses differ between the classes. Cost: two requests a pair, never more than `rate` a
 * second, one at a time. Errors: those of reading data, `endpoint/unavailable`, `endpoint/bad-answer`, `option/invalid`,
 * `run/cancelled`.
 */
export async function attackTiming(options: TimingAttackOptions): Promise<TimingResult> {
  const { a, b, pairs, rate, seed, timeout, signal, progress, say, command, range } = options;
  const rng = randomFrom(seed, 'timing');
  const contents = [contentFrom(a), contentFrom(b)] as const;
  const target = endpointAddress(options.url);
  const targetB = options.urlB === undefined ? target : endpointAddress(options.urlB);
  if (target.grpc || targetB.grpc)
    throw new GlacisError('option/invalid', 'attack-timing: expected REST addresses, got one of gRPC');
  const fallback = process.env.GLACIS_ENDPOINT_TOKEN;
  const { headers, secrets } = credentialsFrom(target, {}, options.token, fallback);
  const { headers: headersB } =
    options.tokenB === undefined && options.urlB === undefined
      ? { headers }
      : credentialsFrom(targetB, {}, options.tokenB ?? options.token, fallback);
  if (target.exposed && secrets.length > 0)
    say(`${target.url}: the credentials go over a connection without encryption`);
  const describing = options.describedBy === undefined ? target : endpointAddress(options.describedBy);
  // The credentials go along.
  if (new URL(describing.url).origin !== new URL(target.url).origin)
    throw new GlacisError(
      'option/invalid',
      `described-by: expected a model of the same server, got ${describing.url}`,
    );
  const described = await exchangeOnce(
    { method: 'GET', url: describing.url, headers, maxBytes: METADATA_BYTES },
    describing.url,
    AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  ).catch((thrown: unknown) => {
    if (thrown instanceof GlacisError) throw thrown;
    throw new GlacisError('endpoint/unavailable', `${describing.url}: expected an answer, got none`, {
      cause: thrown,
    });
  });
  if (described.status !== 200)
    throw new GlacisError(
      'endpoint/unavailable',
      `${describing.url}: expected a model's description, got status ${described.status}; --described-by names a model of the same inputs that may be asked`,
    );
  const model = interfaceFrom(
    decodeModelMetadata(described.body, describing.url),
    { input: options.input, sampleDims: options.shape },
    describing.url,
  );
  const prepare = (i: 0 | 1) =>
    prepareQueries(
      contents[i],
      { url: (i === 0 ? target : targetB).url, headers: i === 0 ? headers : headersB, model },
      { rng: rng.fork('bodies', i), signal, range, most: pairs },
    );
  const [queriesA, queriesB] = [await prepare(0), await prepare(1)];
  const sender = timedSender({ timeout, clock: () => performance.now() });
  const start = performance.now();
  try {
    const measured = await measure({
      a: queriesA,
      b: queriesB,
      pairs,
      warmup: Math.min(WARMUP, pairs),
      rate,
      rng: rng.fork('order'),
      send: sender.send,
      clock: () => performance.now(),
      sleep: (milliseconds, signal) => wait(milliseconds, undefined, { signal }),
      signal,
      progress,
    });
    const seconds = (performance.now() - start) / 1000;
    const analysis = judge(measured, rng.fork('judge'));
    const later = (measured.counts[429] ?? 0) + (measured.counts[503] ?? 0);
    const good = Object.entries(measured.counts).reduce(
      (sum, [status, n]) => sum + (/^2/.test(status) ? n : 0),
      0,
    );
    return {
      schema: TIMING_SCHEMA,
      url: target.url,
      a,
      b,
      ...(targetB.url !== target.url && { urlB: targetB.url }),
      at: new Date().toISOString(),
      seed,
      rate,
      seconds,
      statuses: measured.counts,
      failures: measured.failures,
      analysis,
      notes: [
        ...(later > THROTTLED * 2 * pairs
          ? [
              `${later} answers were 429 or 503: a limit was measured, not the model; raise it or lower --rate`,
            ]
          : []),
        ...(good === 0 ? ['no query was answered with a result'] : []),
        ...[queriesA, queriesB].flatMap((queries, i) =>
          contents[i]!.kind === 'data' && queries.length < pairs
            ? [
                `class ${'ab'[i]} has ${queries.length} samples, each asked about ${Math.round(pairs / queries.length)} times: a difference may be these samples' and not the class's`,
              ]
            : [],
        ),
        ...(pairs < ENOUGH ? [`fewer than ${ENOUGH} pairs: silence means nothing`] : []),
        ...(target.exposed || /^(?!http:\/\/(?:localhost|127\.|\[::1\]))/.test(target.url)
          ? ['measured over a network: it hides small differences from us, not from who sits closer']
          : []),
      ],
      command,
    };
  } finally {
    sender.close();
  }
}
