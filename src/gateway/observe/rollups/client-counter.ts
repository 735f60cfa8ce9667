import type { Decision } from '../../decision.ts';
import { type AddressSketch, newAddresses, seeAddress, textHash } from './distinct.ts';
import { isFlagged } from './sums.ts';
import { ALL } from './traffic-counter.ts';

/** Clients between two writes; those beyond are counted together. */
const MOST_CLIENTS = 20_000;
/** Models of one client between two writes; more are counted in its sum alone. */
const MOST_MODELS_EACH = 64;
/** Who is counted together has this name, which no principal has. */
export const OTHERS = '';
const DAY = 86_400_000;

/** Sums of one client. */
export interface ClientSums {
  requests: number;
  samples: number;
  refused: number;
  flagged: number;
}

/** What a client did since it was last written. */
export interface ClientDelta extends ClientSums {
  readonly principal: string;
  tenant: string;
  /** Beginning of the day in which it did it. */
  readonly day: number;
  first: number;
  last: number;
  readonly addresses: AddressSketch;
  readonly models: Map<string, ClientSums>;
}

/** Counts clients. A call costs about a microsecond. */
export interface ClientCounter {
  decided(decision: Decision): void;
  /** Clients counted since the last `take`. */
  readonly size: number;
  /** All of them; from then on nothing is counted. */
  take(): readonly ClientDelta[];
  /** Counts again what could not be written. */
  putBack(deltas: readonly ClientDelta[]): void;
}

/** Counts for this process. `seed` as of `textHash`. */
export function clientCounter(seed: number): ClientCounter {
  let clients = new Map<string, ClientDelta>();
  /** By principal alone while nothing waits from another day; the day is part of the key otherwise. */
  const keyOf = (principal: string, day: number) => `${day} ${principal}`;
  const deltaOf = (principal: string, tenant: string, day: number, at: number): ClientDelta => {
    const key = keyOf(principal, day);
    let delta = clients.get(key);
    if (delta !== undefined) return delta;
    if (clients.size >= MOST_CLIENTS && principal !== OTHERS) return deltaOf(OTHERS, '', day, at);
    delta = {
      ...none(),
      principal,
      tenant,
      day,
      first: at,
      last: at,
      addresses: newAddresses(),
      models: new Map(),
    };
    clients.set(key, delta);
    return delta;
  };
  const modelOf = (delta: ClientDelta, model: string): ClientSums | undefined => {
    let sums = delta.models.get(model);
    if (sums === undefined && delta.models.size < MOST_MODELS_EACH) {
      sums = none();
      delta.models.set(model, sums);
    }
    return sums;
  };
  return {
    decided(decision) {
      const { principal, tenant = '', at, n, outcome, digest, model, address } = decision;
      if (principal === undefined) return;
      const delta = deltaOf(principal, tenant, at - (at % DAY), at);
      const flagged = isFlagged(decision);
      add(delta, n, outcome, flagged);
      if (delta.principal !== OTHERS) delta.tenant = tenant;
      if (at < delta.first) delta.first = at;
      if (at > delta.last) delta.last = at;
      seeAddress(delta.addresses, textHash(address, seed));
      if (digest !== undefined && model !== ALL) {
        const own = modelOf(delta, model);
        if (own !== undefined) add(own, n, outcome, flagged);
      }
    },
    get size() {
      return clients.size;
    },
    take() {
      const taken = [...clients.values()];
      clients = new Map();
      return taken;
    },
    putBack(deltas) {
      for (const delta of deltas) {
        const own = deltaOf(delta.principal, delta.tenant, delta.day, delta.first);
        addSums(own, delta);
        own.first = Math.min(own.first, delta.first);
        own.last = Math.max(own.last, delta.last);
        for (const [i, word] of delta.addresses.entries())
          own.addresses[i] = Number(BigInt(own.addresses[i]!) | BigInt(word));
        for (const [model, sums] of delta.models) {
          const mine = modelOf(own, model);
          if (mine !== undefined) addSums(mine, sums);
        }
      }
    },
  };
}

function none(): ClientSums {
  return { requests: 0, samples: 0, refused: 0, flagged: 0 };
}

function add(sums: ClientSums, n: number, outcome: Decision['outcome'], flagged: boolean): void {
  sums.requests++;
  if (outcome === 'answered') sums.samples += n;
  else sums.refused++;
  if (flagged) sums.flagged++;
}

function addSums(sums: ClientSums, more: ClientSums): void {
  sums.requests += more.requests;
  sums.samples += more.samples;
  sums.refused += more.refused;
  sums.flagged += more.flagged;
}
