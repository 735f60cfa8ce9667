import { queryMemory } from '../../detect/queries/query-memory.ts';
import { type Recent, recent } from '../../detect/queries/recent.ts';
import { sampleDigest } from '../../detect/queries/sample-digest.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { cellRowsOf } from './cell-rows.ts';
import { type Crowd, crowdAround } from './crowd.ts';
import { halves } from './extraction-evidence.ts';
import { type OddChances, openOddChances } from './odd-chances.ts';
import { whoOf } from './sketched-rows.ts';

/** Partners of one client that are remembered. */
const PARTNERS = 32;

/** A chance from which an event that happens is nothing to go by. */
const NEARLY = 0.9;

/** Share of calls after which what was has fallen to 1/e, in the traffic that is compared with. */
const FADE = 1 / 20;

/** A client, and what ties it to others. */
export interface TiedClient {
  readonly name: string;
  number: number;
  address: string;
  credential: string | undefined;
  tenant: string | undefined;
  readonly shared: OddChances;
  readonly turns: OddChances;
  /** Meetings with others, by their number. */
  readonly partners: Map<number, number>;
  /** Who called before its last call. */
  before: number;
  /** Its part of the traffic, as of {@link seenAt}. */
  part: number;
  seenAt: number;
  calls: number;
  sharedCount: number;
  turnCount: number;
  first: number;
  last: number;
  shown: string[];
}

/** What calm clients do. */
export interface UsualTies {
  readonly cells: number;
  readonly scale: Float32Array;
  /** 0 where inputs are not sketched. */
  readonly radius: number;
  /** Share of a calm client's queries that are near another client's, and of its calls that follow the same client as the call before. */
  readonly shared: number;
  readonly turns: number;
}

/** Who meets whom: by queries beside each other's, and by turns. */
export interface Ties {
  readonly clients: Recent<string, TiedClient>;
  /** Gives the client, where this call was of interest. */
  take(sighting: Sighting): TiedClient | undefined;
  /** Clients that met this one, and those that met them. */
  groupOf(client: TiedClient): Crowd<TiedClient>;
}

/** ln of the evidence that a client is one of several. */
export function evidenceOf({ shared, turns }: TiedClient): number {
  return halves(shared.excess(), turns.excess());
}

/** Opens it: at most `clients` clients and `queries` queries of everybody are remembered. */
export function openTies(
  usual: UsualTies,
  given: { readonly clients: number; readonly queries: number },
  { features, seed }: Pick<MonitorSetting, 'features' | 'seed'>,
): Ties {
  const { cells, scale, radius } = usual;
  const memory = radius > 0 ? queryMemory(cells, 2 * radius, given.queries, 1 + seed) : undefined;
  const clients = recent<string, TiedClient>(given.clients);
  const byNumber = new Map<number, TiedClient>();
  const own = new Float32Array(cells);
  let [next, last, calls] = [1, 0, 0];
  const clientOf = (sighting: Sighting): TiedClient => {
    const name = whoOf(sighting);
    return clients.at(name, () => {
      const client: TiedClient = {
        ...{
          name,
          number: next++,
          address: sighting.address,
          credential: sighting.credential,
          tenant: sighting.tenant,
        },
        shared: openOddChances(),
        turns: openOddChances(),
        partners: new Map(),
        ...{ before: 0, part: 0, seenAt: 0, calls: 0, sharedCount: 0, turnCount: 0 },
        ...{ first: sighting.at, last: sighting.at, shown: [] },
      };
      byNumber.set(client.number, client);
      if (byNumber.size > given.clients) byNumber.delete(byNumber.keys().next().value as number);
      return client;
    });
  };
  const meet = (a: TiedClient, b: number): void => {
    if (!a.partners.has(b) && a.partners.size >= PARTNERS) {
      let [least, rarest] = [Number.POSITIVE_INFINITY, 0];
      for (const [partner, met] of a.partners) if (met < least) [least, rarest] = [met, partner];
      a.partners.delete(rarest);
    }
    a.partners.set(b, (a.partners.get(b) ?? 0) + 1);
  };
  const partOf = (client: TiedClient): number => client.part * Math.exp(-FADE * (calls - client.seenAt));
  return {
    clients,
    take(sighting) {
      const client = clientOf(sighting);
      client.calls++;
      calls++;
      client.last = Math.max(client.last, sighting.at);
      let isMet = false;
      // Whoever calls twice in a row takes no turns.
      if (last !== client.number && last !== 0) {
        const previous = byNumber.get(last);
        if (client.before !== 0 && previous !== undefined) {
          const same = client.before === last;
          const chance = Math.max(usual.turns, 3 * partOf(previous));
          // Whoever comes after one who calls nearly all the time says nothing by it.
          if (chance < NEARLY) client.turns.take(same, chance);
          if (same) {
            client.turnCount++;
            isMet = true;
            meet(client, last);
            meet(previous, client.number);
          }
        }
        client.before = last;
      }
      last = client.number;
      client.part = partOf(client) + FADE;
      client.seenAt = calls;
      if (memory !== undefined)
        for (const { cells: raw } of cellRowsOf(sighting, features.length, cells)) {
          for (let i = 0; i < cells; i++) own[i] = raw[i]! / scale[i]!;
          const query = { cells: own, digest: sampleDigest(own, 0, cells, seed) };
          const found = memory.nearest(query, radius);
          if (found?.repeat) continue;
          memory.add(query, { cluster: 0, label: client.number });
          const other =
            found !== undefined && found.label !== client.number ? byNumber.get(found.label) : undefined;
          client.shared.take(other !== undefined, usual.shared);
          if (other === undefined) continue;
          client.sharedCount++;
          isMet = true;
          meet(client, other.number);
          meet(other, client.number);
          client.shown.unshift(sighting.id);
          if (client.shown.length > 8) client.shown.pop();
        }
      return isMet ? client : undefined;
    },
    groupOf: (client) => crowdAround(client, byNumber, evidenceOf),
  };
}
