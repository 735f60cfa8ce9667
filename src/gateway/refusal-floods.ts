import { createHash, type Hash } from 'node:crypto';
import type { Decision } from './decision.ts';
import { neighbourhoodOf } from './identity/network-address.ts';
import type { Recorder } from './recorder.ts';

/** Gathers refusals that come in floods, so that nobody fills the disk by being refused. */
export interface RefusalFloods {
  /** Takes a decision that is one of very many alike: it is counted, and needs no entry of its own. False: it must be recorded now. */
  takes(decision: Decision): boolean;
  /** Records what was gathered; never throws. */
  close(): Promise<void>;
}

/** What gathering needs of the gateway. */
export interface RefusalFloodsSurroundings {
  readonly recorder: Pick<Recorder, 'record' | 'broken'>;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** Whoever goes on after one of these is refused the same way at no cost to himself. All others are bounded by rates and budgets, and each is an entry. */
const FLOODING: ReadonlySet<Decision['outcome']> = new Set(['throttled', 'exhausted']);
/** Of one caller and one kind, so many in a window are entries of their own; milliseconds of a window. */
const SINGLY = 20;
const WINDOW = 60_000;
/** Callers that are told apart; those beyond are gathered together. */
const MOST_CALLERS = 10_000;

interface Flood {
  readonly began: number;
  singly: number;
  count: number;
  samples: number;
  since: number;
  ids: Hash | undefined;
  last: Decision | undefined;
}

/**
 * The first {@link SINGLY} refusals by a limit of each caller in a minute are entries, as every decision is. Those beyond are one entry together when the minute is over: the last of them,
 * with how many it stands for, since when, and a digest of their ids. That entry is in the log as any other; what a crash takes are the counts of the minute.
 */
export function openRefusalFloods({ recorder, clock, failed }: RefusalFloodsSurroundings): RefusalFloods {
  const floods = new Map<string, Flood>();
  const end = async (flood: Flood): Promise<void> => {
    const { last, count, samples, since, ids } = flood;
    if (last === undefined) return;
    const gathered = { count, samples, since, ids: ids!.digest('hex') };
    await recorder.record({ ...last, gathered }).catch((thrown) => failed('log', thrown));
  };
  const sweep = (): void => {
    const old = clock() - WINDOW;
    for (const [who, flood] of floods) {
      if (flood.began > old) continue;
      floods.delete(who);
      void end(flood);
    }
  };
  const floodOf = (who: string): Flood => {
    const found = floods.get(who);
    if (found) return found;
    if (floods.size >= MOST_CALLERS && who !== '') return floodOf('');
    const fresh: Flood = {
      ...{ began: clock(), singly: 0, count: 0, samples: 0, since: 0 },
      ...{ ids: undefined, last: undefined },
    };
    floods.set(who, fresh);
    return fresh;
  };
  const timer = setInterval(sweep, WINDOW / 4);
  timer.unref();
  return {
    takes(decision) {
      const { outcome, principal, address, n, id, at } = decision;
      // A log that cannot be written must say so to everybody.
      if (!FLOODING.has(outcome) || recorder.broken !== undefined) return false;
      const flood = floodOf(
        JSON.stringify([outcome, principal ?? null, principal === undefined ? neighbourhoodOf(address) : '']),
      );
      if (flood.singly < SINGLY) {
        flood.singly++;
        return false;
      }
      if (flood.count++ === 0) flood.since = at;
      flood.samples += n;
      flood.ids ??= createHash('sha256');
      flood.ids.update(id, 'hex');
      flood.last = decision;
      return true;
    },
    async close() {
      clearInterval(timer);
      const left = [...floods.values()];
      floods.clear();
      for (const flood of left) await end(flood);
    },
  };
}
