/** What a request must say of one feed. Times are in milliseconds; parameters are named as the caller gives them. */
export interface FeedRule {
  readonly name: string;
  /** When the values were taken. */
  readonly time?:
    | {
        readonly parameter: string;
        /** What a number counts since 1970; texts are read as ISO 8601. */
        readonly unit: 's' | 'ms';
        /** Older is stale. */
        readonly maxAge: number;
        /** How far the source's clock may be ahead. */
        readonly maxAhead: number;
      }
    | undefined;
  /** A number that grows with each reading. */
  readonly sequence?: { readonly parameter: string; readonly maxGap: number } | undefined;
  /** The same quantity from two sources. */
  readonly agree?:
    | {
        readonly parameters: readonly [string, string];
        /** They may differ by this much, or by this share of the larger. */
        readonly absolute: number;
        readonly relative: number;
      }
    | undefined;
}

/** What a request said of a feed. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly time: number | undefined;
  readonly sequence: number | undefined;
}

/** Parameters of a request, as the protocol has them: attacker-controlled. */
export type FeedParameters = Readonly<Record<string, string | number | boolean>>;

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** Reads a feed and judges what needs no memory: the text says why it is refused. */
export function readFeed(
  { time, sequence, agree }: FeedRule,
  parameters: FeedParameters,
  now: number,
): Reading | string {
  let at: number | undefined;
  if (time) {
    at = momentOf(parameters[time.parameter], time.unit);
    if (at === undefined) return `${time.parameter} is no time`;
    if (!(at >= now - time.maxAge)) return `${time.parameter} is older than ${time.maxAge} ms`;
    if (!(at <= now + time.maxAhead)) return `${time.parameter} is ahead by more than ${time.maxAhead} ms`;
  }
  let number: number | undefined;
  if (sequence) {
    const given = parameters[sequence.parameter];
    if (typeof given !== 'number' || !Number.isSafeInteger(given) || given < 0)
      return `${sequence.parameter} is no sequence number`;
    number = given;
  }
  if (agree) {
    const [a, b] = agree.parameters.map((name) => parameters[name]);
    if (typeof a !== 'number' || typeof b !== 'number')
      return `${agree.parameters.join(' and ')} are no numbers`;
    const room = Math.max(agree.absolute, agree.relative * Math.max(Math.abs(a), Math.abs(b)));
    // Written so that NaN and infinities do not agree.
    if (!(Math.abs(a - b) <= room)) return `${agree.parameters.join(' and ')} do not agree`;
  }
  return { time: at, sequence: number };
}

function momentOf(given: string | number | boolean | undefined, unit: 's' | 'ms'): number | undefined {
  if (typeof given === 'string' && !(given.length <= 40 && ISO.test(given))) return undefined;
  const at =
    typeof given === 'string'
      ? Date.parse(given)
      : typeof given === 'number'
        ? unit === 's'
          ? 1000 * given
          : given
        : Number.NaN;
  return Number.isFinite(at) ? at : undefined;
}
