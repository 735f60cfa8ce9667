import { setTimeout as wait } from 'node:timers/promises';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Rng } from '../core/random.ts';
import { errorText } from '../oip/error-body.ts';
import { quoted } from '../onnx/problems.ts';
import type { Reply } from './http-exchange.ts';
import { retryAfter } from './retry-after.ts';

/** What went over the wire. */
export interface Traffic {
  /** Requests sent, all repetitions included. */
  requests: number;
  /** Requests that repeated one without an answer. */
  repeated: number;
  /** Samples sent, with repetitions, the opening question and rows that fill up a fixed batch: what an endpoint may count. */
  rows: number;
  /** Samples answered. */
  answered: number;
}

/** How long a sender tries, and what it depends on. */
export interface Persistence {
  /** Begins the messages. */
  readonly where: string;
  readonly timeoutMs: number;
  /** Repetitions in a row of one request. */
  readonly retries: number;
  /** Longest single wait that the endpoint may ask for. */
  readonly maxWaitMs: number;
  readonly secrets: readonly string[];
  readonly traffic: Traffic;
  readonly rng: Rng;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly say: (text: string) => void;
}

/** Sends until there is an answer. */
export interface Sender {
  /**
   * The first reply that is not "later" (408, 425, 429, 5xx but 501 and 505) of those that `once` gets, called again until then. Requests
   * share one pause: where one is told to wait, all wait. Errors: `endpoint/unavailable`, `run/cancelled`, a `GlacisError` of `once`;
   * whatever else it throws is a failure of the network.
   */
  send(
    once: (signal: AbortSignal) => Promise<Reply>,
    signal: AbortSignal,
    options?: SendOptions,
  ): Promise<Reply>;
}

/** What a request is about. */
export interface SendOptions {
  /** Samples in it. */
  readonly rows?: number;
  /** Whether 500 is an answer, too: that of a server which does not understand. */
  readonly tentative?: boolean;
}

/** Wait before the first repetition; doubled each time. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;
/** Repetitions before anything has ever come back: most likely a wrong address. */
const FIRST_CONTACT_RETRIES = 3;

/** A sender with its own pause. */
export function persistentSender(persistence: Persistence): Sender {
  const { where, timeoutMs, retries, maxWaitMs, secrets, traffic, rng, now, sleep, say } = persistence;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let reached = false;

  const until = async (time: number, signal: AbortSignal): Promise<void> => {
    const ms = Math.max(time, pausedUntil) - now();
    if (ms > 0) await sleep(ms, signal).catch(() => throwIfCancelled(signal, where));
    throwIfCancelled(signal, where);
  };

  const unavailable = (got: string, attempts: number, cause?: unknown): GlacisError => {
    const often = attempts > 1 ? ` ${attempts} times in a row` : '';
    return new GlacisError(
      'endpoint/unavailable',
      `${where}: expected an answer, got ${got}${often}; ${traffic.answered} samples had been answered`,
      { cause },
    );
  };

  return {
    async send(once, signal, { rows = 0, tentative = false } = {}) {
      let notBefore = Number.NEGATIVE_INFINITY;
      for (let attempt = 1; ; attempt++) {
        await until(notBefore, signal);
        traffic.requests++;
        traffic.rows += rows;
        if (attempt > 1) traffic.repeated++;
        // Half of the wait is fixed, half random, so that requests that failed together do not come back together.
        const backOff =
          Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (0.5 + 0.5 * rng.uniform());
        let problem: string;
        let cause: unknown;
        try {
          const timed = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
          const reply = await once(timed);
          reached = true;
          if (!isLater(reply.status) || (tentative && reply.status === 500)) return reply;
          const said = errorText(reply.body, secrets);
          problem = `status ${reply.name ?? reply.status}${said === '' ? '' : ` (${said})`}`;
          const asked = retryAfter(reply.headers, now());
          if (asked !== undefined && asked > maxWaitMs)
            throw unavailable(
              `${problem} and to wait ${seconds(asked)}, longer than the ${seconds(maxWaitMs)} that are allowed`,
              1,
            );
          notBefore = now() + Math.max(asked ?? 0, backOff);
          if (reply.status === 429 || asked !== undefined) {
            if (pausedUntil <= now() && notBefore - now() >= 1000)
              say(
                `${where}: told to wait (${reply.name ?? reply.status}); goes on in ${seconds(notBefore - now())}`,
              );
            pausedUntil = Math.max(pausedUntil, notBefore);
          }
        } catch (thrown) {
          throwIfCancelled(signal, where);
          if (thrown instanceof GlacisError) throw thrown;
          problem = reasonOf(thrown, timeoutMs);
          cause = thrown;
          if (!reached && isFinal(problem)) throw unavailable(problem, attempt, cause);
          notBefore = now() + backOff;
        }
        const allowed = reached ? retries : Math.min(retries, FIRST_CONTACT_RETRIES);
        if (attempt > allowed) throw unavailable(problem, attempt, cause);
        if (attempt === 2) say(`${where}: ${problem}; trying up to ${allowed - 1} times more`);
      }
    },
  };
}

/** Waits on the real clock. */
export const sleepReally = (ms: number, signal: AbortSignal): Promise<unknown> =>
  wait(ms, undefined, { signal });

function isLater(status: number): boolean {
  return (
    status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505)
  );
}

/** What went wrong in the network, in few words: an error's code where it has one. */
function reasonOf(thrown: unknown, timeoutMs: number): string {
  if (!(thrown instanceof Error)) return 'a failure without a name';
  if (thrown.name === 'TimeoutError') return `none within ${seconds(timeoutMs)}`;
  const cause = thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = (cause as { readonly code?: unknown }).code;
  return typeof code === 'string' ? `${code} (${meaningOf(code)})` : quoted(cause.message);
}

function meaningOf(code: string): string {
  return NETWORK[code] ?? (/CERT|SIGNATURE/.test(code) ? 'the certificate is not trusted' : 'network');
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'no such host',
  ERR_HTTP2_ERROR: 'no HTTP/2 there',
  ERR_HTTP2_STREAM_ERROR: 'call cut off',
  UND_ERR_SOCKET: 'connection closed in the middle',
};

/** Failures that repeating does not mend: names that do not exist, certificates that are not trusted. */
function isFinal(problem: string): boolean {
  return /^(?:ENOTFOUND|ERR_TLS|ERR_SSL|[A-Z_]*(?:CERT|SIGNATURE))/.test(problem);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
