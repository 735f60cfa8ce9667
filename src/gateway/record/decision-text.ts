import type { Decision, Event } from '../decision.ts';

/** Characters of what a caller can choose that go into the log. */
const MOST_NAME = 256;
const MOST_REASON = 1000;
const MOST_GUARDS = 32;
const MOST_WORD = 60;
/** Bytes of an event's text at most; a decision's has fewer, whatever is in it. */
const MOST_BYTES = 60_000;

/**
 * A decision as canonical JSON (RFC 8785: names in order, no blanks, numbers as JavaScript writes them), without who it was for. Nothing is longer
 * than it may be, whatever a caller sent: what was cut ends in `…`.
 */
export function decisionText(decision: Decision): string {
  const { input, gathered } = decision;
  return JSON.stringify({
    at: decision.at,
    because: cut(decision.because, MOST_REASON),
    bucket: decision.bucket,
    detail: decision.detail,
    digest: cut(decision.digest, MOST_NAME),
    divergence: decision.divergence,
    explained: decision.explained,
    gathered: gathered && {
      count: gathered.count,
      ids: gathered.ids,
      samples: gathered.samples,
      since: gathered.since,
    },
    guards: decision.guards.slice(0, MOST_GUARDS).map(({ action, because, guard, score }) => ({
      action,
      because: cut(because, 2 * MOST_WORD),
      guard: cut(guard, MOST_WORD),
      score,
    })),
    id: decision.id,
    input: input && {
      deviation: input.deviation,
      least: input.least,
      mean: input.mean,
      most: input.most,
      shape: input.shape.slice(0, 16),
    },
    model: cut(decision.model, MOST_NAME),
    n: decision.n,
    outcome: decision.outcome,
    top: decision.top?.slice(0, 64),
    version: cut(decision.version, MOST_NAME),
  });
}

/** Who a decision was for, as canonical JSON. */
export function whoText({ address, credential, principal, tenant }: Decision): string {
  return JSON.stringify({
    address: cut(address, MOST_NAME),
    credential: cut(credential, MOST_NAME),
    principal: cut(principal, MOST_NAME),
    tenant: cut(tenant, MOST_NAME),
  });
}

/** An event as canonical JSON. One that is too large keeps the beginnings of what it says. */
export function eventText(event: Event): string {
  const whole = textOfEvent(event, 64, 4 * MOST_REASON);
  return Buffer.byteLength(whole) <= MOST_BYTES ? whole : textOfEvent(event, 16, MOST_WORD);
}

function textOfEvent({ about, at, by, event }: Event, most: number, length: number): string {
  const shown = (value: Event['about'][string]) =>
    typeof value === 'string'
      ? cut(value, length)
      : Array.isArray(value)
        ? value.slice(0, most / 4).map((item) => cut(String(item), length))
        : value;
  const names = Object.keys(about).sort().slice(0, most);
  return JSON.stringify({
    about: Object.fromEntries(names.map((name) => [cut(name, MOST_WORD), shown(about[name]!)])),
    at,
    by: cut(by, MOST_NAME),
    event: cut(event, MOST_NAME),
  });
}

function cut<T extends string | undefined>(text: T, most: number): T {
  return text !== undefined && text.length > most ? (`${text.slice(0, most)}…` as T) : text;
}
