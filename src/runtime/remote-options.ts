import { GlacisError } from '../core/error.ts';
import { mergeOptions } from '../core/options.ts';
import { type Rng, randomFrom } from '../core/random.ts';
import { sleepReally } from './persistent-sender.ts';

/** How tensors travel. */
export type WireFormat = 'binary' | 'json';

/** What `openRemote` may be told. */
export interface RemoteOptions {
  /** The float input; needed when there are several, or when the server does not describe the model. */
  readonly input?: string | undefined;
  /** Needed when there are several. */
  readonly output?: string | undefined;
  /** Shape of one sample, where the server leaves it open. */
  readonly sampleDims?: readonly number[] | undefined;
  /** The endpoint answers with class numbers only, of this many classes: answers become rows of zeros with a one. */
  readonly labels?: number | undefined;
  /** `auto` (unless given): binary where the server answers in binary, otherwise JSON. */
  readonly format?: WireFormat | 'auto' | undefined;
  /** Most samples in one request; 64 unless given, fewer for large samples. A size that the model fixes goes first. */
  readonly batch?: number | undefined;
  /** Requests under way at once; 4 unless given. */
  readonly parallel?: number | undefined;
  /** For one request, until its whole answer is there; 30,000 ms unless given. */
  readonly timeoutMs?: number | undefined;
  /** Repetitions in a row of a request that was not answered; 8 unless given, about 35 s of waiting in all. */
  readonly retries?: number | undefined;
  /** Longest wait that the endpoint may ask for at once; 120,000 ms unless given. */
  readonly maxWaitMs?: number | undefined;
  /** Sent as `Authorization: Bearer …`; the environment's `GLACIS_ENDPOINT_TOKEN` unless given. Never shown. */
  readonly token?: string | undefined;
  /** Headers of every request; their values are never shown. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A sample for the opening question; zeros unless given. */
  readonly example?: Float32Array | undefined;
  /** Is told of waits and repetitions. */
  readonly say?: ((text: string) => void) | undefined;
  /** Jitter of the waits; changes no answer. */
  readonly rng?: Rng | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined;
  /** Cancels the opening; each question has its own. */
  readonly signal?: AbortSignal | undefined;
}

type Defaulted =
  | 'format'
  | 'parallel'
  | 'timeoutMs'
  | 'retries'
  | 'maxWaitMs'
  | 'headers'
  | 'say'
  | 'rng'
  | 'now'
  | 'sleep';

/** {@link RemoteOptions} with the defaults, checked. */
export type RemoteSettings = Omit<RemoteOptions, Defaulted> & {
  readonly [K in Defaulted]-?: NonNullable<RemoteOptions[K]>;
};

/** Whole numbers that an option accepts. */
const RANGES = {
  labels: [2, 2 ** 20],
  batch: [1, 2 ** 20],
  parallel: [1, 1024],
  // The longest that fetch itself waits for headers.
  timeoutMs: [1, 300_000],
  retries: [0, 1000],
  maxWaitMs: [0, 86_400_000],
} as const;

/** The options with their defaults. Errors: `option/unknown`, `option/invalid`. */
export function remoteSettings(options: RemoteOptions): RemoteSettings {
  const defaults: RemoteSettings = {
    input: undefined,
    output: undefined,
    sampleDims: undefined,
    labels: undefined,
    format: 'auto',
    batch: undefined,
    parallel: 4,
    timeoutMs: 30_000,
    retries: 8,
    maxWaitMs: 120_000,
    token: undefined,
    headers: {},
    example: undefined,
    say: () => {},
    rng: randomFrom(0, 'endpoint'),
    now: Date.now,
    sleep: sleepReally,
    signal: undefined,
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings = mergeOptions('endpoint', defaults, given);
  const wrong = (key: string, expected: string, got: unknown) =>
    new GlacisError('option/invalid', `endpoint: expected ${key} to be ${expected}, got ${String(got)}`);
  for (const [key, [least, greatest]] of Object.entries(RANGES)) {
    const value = settings[key as keyof typeof RANGES];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least && value <= greatest))
      throw wrong(key, `a whole number from ${least} to ${greatest}`, value);
  }
  if (!['auto', 'binary', 'json'].includes(settings.format))
    throw wrong('format', 'auto, binary or json', `'${settings.format}'`);
  if (settings.sampleDims?.some((size) => !Number.isSafeInteger(size) || size < 1))
    throw wrong('sampleDims', 'sizes of at least 1', `[${settings.sampleDims.join(', ')}]`);
  return settings;
}
