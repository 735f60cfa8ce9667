import { Readable } from 'node:stream';
import { Refused } from '../refusal.ts';
import type { LiveEvent } from './api.ts';

/** Who follows. */
export interface Follower {
  /** The session that it rests on; undefined where a key was shown. */
  readonly session: string | undefined;
  readonly principal: string;
  readonly address: string;
}

/** What somebody may see: a bit for each of {@link LIVE_RIGHTS}. */
export type Sight = number;

/** The right that each kind of event asks for. */
const RIGHT_OF = {
  traffic: 'metrics.read',
  decision: 'log.read',
  alarm: 'incident.read',
  case: 'incident.read',
  order: 'incident.read',
  models: 'models.list',
  reviews: 'reviews.list',
  policy: 'policy.read',
  keys: 'keys.list',
  'signed-out': undefined,
} as const satisfies Readonly<Record<LiveEvent['kind'], string | undefined>>;

/** Rights that events ask for, in the order of bits. */
export const LIVE_RIGHTS: readonly string[] = [
  ...new Set(Object.values(RIGHT_OF).filter((right) => right !== undefined)),
];

/** What somebody with these rights sees. */
export function sightOf(may: (action: string) => boolean): Sight {
  return LIVE_RIGHTS.reduce((sight, right, bit) => (may(right) ? sight | (1 << bit) : sight), 0);
}

/** What the hub stands on. */
export interface LiveSurroundings<F extends Follower> {
  readonly most: () => number;
  readonly mostEach: () => number;
  /** What each of these may see now; undefined for one whose session has ended. Asked again and again, so that an end or another role takes effect. */
  readonly standing: (followers: readonly F[]) => Promise<readonly (Sight | undefined)[]>;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** Pages that follow what happens. */
export interface Live<F extends Follower> {
  /** Whether anybody would see such an event: who publishes many asks first. */
  wants(kind: LiveEvent['kind']): boolean;
  /** Shows an event to all who may see it, within a second. Cheap; never throws. */
  publish(event: LiveEvent): void;
  /** The stream of somebody new. Errors: `Refused` `throttled` where too many follow. */
  follow(follower: F, sight: Sight): Readable;
  /** Ends what rests on a session, at once. */
  end(session: string): void;
  readonly size: number;
  close(): void;
}

/** Milliseconds between two deliveries: at least, and for each follower, so that a thousand cost no more than ten. */
const EVERY = 100;
const EVERY_EACH = 1;
/** Followers that are written to in one turn of the event loop. */
const SLICE = 50;
/** Bytes that may wait for a slow reader. */
const MOST_WAITING = 256 << 10;
/** Decisions, and other events, of one delivery. */
const MOST_DECISIONS = 20;
const MOST_EVENTS = 1000;
/** Milliseconds between two looks at whether a fifth of the followers may still follow. */
const LOOK = 1000;
const LOOKS = 5;
/** Milliseconds in which the end may still be read. */
const LAST_WORD = 5000;
/** A sign of life every so many looks: connections that say nothing are cut off. */
const BEAT = 15;

interface Followed<F> {
  readonly follower: F;
  readonly stream: Readable;
  sight: Sight;
}

/**
 * Opens the hub. Each event is written as text once, whoever follows; it is delivered together with what else happened, in slices, so that the thread that serves is
 * never held up. A reader that does not keep up is cut off: its page connects again and asks for everything anew.
 */
export function openLive<F extends Follower>({
  most,
  mostEach,
  standing,
  failed,
}: LiveSurroundings<F>): Live<F> {
  const followers = new Set<Followed<F>>();
  let pending: { readonly bit: number; readonly text: string }[] = [];
  let decisions = 0;
  let seen = 0;
  let timer: NodeJS.Timeout | undefined;
  let looks = 0;

  const give = (one: Followed<F>, chunk: Uint8Array | string): void => {
    const { stream } = one;
    if (!followers.has(one) || stream.destroyed) return;
    if (stream.readableLength + chunk.length > MOST_WAITING) stream.destroy();
    else stream.push(chunk);
  };
  const recount = (): void => {
    seen = 0;
    for (const { sight } of followers) seen |= sight;
  };
  const inSlices = (all: readonly Followed<F>[], act: (one: Followed<F>) => void, from = 0): void => {
    for (const one of all.slice(from, from + SLICE)) act(one);
    if (from + SLICE < all.length) setImmediate(inSlices, all, act, from + SLICE);
  };
  const deliver = (): void => {
    timer = undefined;
    const events = pending;
    pending = [];
    decisions = 0;
    const chunks = new Map<Sight, Buffer>();
    const chunkOf = (sight: Sight): Buffer => {
      let chunk = chunks.get(sight);
      if (chunk === undefined) {
        chunk = Buffer.from(events.flatMap(({ bit, text }) => (isIn(bit, sight) ? [text] : [])).join(''));
        chunks.set(sight, chunk);
      }
      return chunk;
    };
    inSlices([...followers], (one) => {
      const chunk = chunkOf(one.sight);
      if (chunk.length > 0) give(one, chunk);
    });
  };
  const look = async (): Promise<void> => {
    const turn = looks++;
    if (turn % BEAT === 0) inSlices([...followers], (one) => give(one, ':\n\n'));
    const some = [...followers].filter((_, i) => i % LOOKS === turn % LOOKS);
    if (some.length === 0) return;
    try {
      const sights = await standing(some.map(({ follower }) => follower));
      for (const [i, one] of some.entries()) {
        const sight = sights[i];
        if (sight === undefined) signOut(one);
        else one.sight = sight;
      }
      recount();
    } catch (thrown) {
      // Whoever cannot be looked at anew does not follow any further.
      for (const { stream } of some) stream.destroy();
      failed('console', thrown);
    }
  };
  const signOut = (one: Followed<F>): void => {
    const { stream } = one;
    if (!followers.delete(one) || stream.destroyed) return;
    stream.push(textOf({ kind: 'signed-out' }));
    stream.push(null);
    setTimeout(() => stream.destroy(), LAST_WORD).unref();
  };
  const looking = setInterval(look, LOOK);
  looking.unref();

  return {
    wants(kind) {
      const right = RIGHT_OF[kind];
      if (followers.size === 0) return false;
      return (kind !== 'decision' || decisions < MOST_DECISIONS) && isIn(bitOf(right), seen);
    },
    publish(event) {
      const bit = bitOf(RIGHT_OF[event.kind]);
      if (followers.size === 0 || !isIn(bit, seen)) return;
      if (event.kind === 'decision' && ++decisions > MOST_DECISIONS) return;
      // Losing some would leave a page wrong for good; starting anew does not.
      if (pending.length >= MOST_EVENTS) {
        pending = [];
        for (const { stream } of followers) stream.destroy();
        return;
      }
      pending.push({ bit, text: textOf(event) });
      if (timer === undefined) {
        timer = setTimeout(deliver, Math.max(EVERY, followers.size * EVERY_EACH));
        timer.unref();
      }
    },
    follow(follower, sight) {
      if (followers.size >= most())
        throw new Refused('throttled', 'too many pages follow', { retryAfter: 10 });
      let own = 0;
      for (const each of followers) if (each.follower.principal === follower.principal) own++;
      if (own >= mostEach())
        throw new Refused('throttled', 'too many pages of one person follow', { retryAfter: 10 });
      const stream = new Readable({ read() {} });
      const one: Followed<F> = { follower, stream, sight };
      followers.add(one);
      stream.once('close', () => {
        followers.delete(one);
        recount();
      });
      seen |= sight;
      stream.push('retry: 2000\n\n');
      return stream;
    },
    end(session) {
      for (const one of followers) if (one.follower.session === session) signOut(one);
    },
    get size() {
      return followers.size;
    },
    close() {
      clearInterval(looking);
      clearTimeout(timer);
      for (const { stream } of followers) stream.destroy();
    },
  };
}

/** JSON has no line breaks outside of strings and none inside them unescaped, so nothing in an event can begin another one. */
function textOf(event: LiveEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

function bitOf(right: string | undefined): number {
  return right === undefined ? -1 : LIVE_RIGHTS.indexOf(right);
}

function isIn(bit: number, sight: Sight): boolean {
  return bit < 0 || ((sight >> bit) & 1) === 1;
}
