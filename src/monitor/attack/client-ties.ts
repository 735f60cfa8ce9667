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

/** Milliseconds after a client's own last call from which its coming next says nothing: jobs that a schedule starts one after the other, hour by hour or night by night, are no keys that take turns. */
const AWAY = 3_000_000;

/** A turn's weight in the traffic that is compared with: after 1 / FADE turns what was has fallen to 1/e. */
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
  /** Whose turn was before its last one. */
  before: number;
  /** Its part of all turns, as of {@link seenAt}, a count of turns. */
  part: number;
  seenAt: number;
  calls: number;
  sharedCount: number;
  /** Turns of which something could be said, and those of them that came after the same client as the turn before. */
  turnsTaken: number;
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
  /** Share of a calm client's queries that are near another client's, and of its turns that follow the same client as the turn before. */
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

/** The same by kind of tie. */
const KINDS: readonly ((client: TiedClient) => number)[] = [
  ({ shared }) => shared.excess(),
  ({ turns }) => turns.excess(),
];

/**
 * A turn is an unbroken run of one client's calls, however long: lures before a query make it no other one. Who comes back after a single other client goes on with his turn, so that a stranger's call between two of a key's
 * hides nothing, and two who alternate take none. What a turn comes after is weighed against that client's part of all turns, not of all calls.
 *
 * Opens it: at most `clients` clients and `queries` queries of everybody are remembered.
 */
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
  let [next, last, lastButOne, turns] = [1, 0, 0, 0];
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
        ...{ before: 0, part: 0, seenAt: 0, calls: 0, sharedCount: 0, turnsTaken: 0, turnCount: 0 },
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
  const partOf = (client: TiedClient): number => client.part * Math.exp(-FADE * (turns - client.seenAt));
  /** A client's turn begins after another's; gives whether they met. */
  const takeTurn = (client: TiedClient, at: number): boolean => {
    const [previous, expected] = [byNumber.get(last), byNumber.get(client.before)];
    const isFirst = client.before === 0;
    const same = client.before === last;
    client.before = last;
    if (isFirst || previous === undefined || at - client.last > AWAY) return false;
    const chance = Math.max(usual.turns, 3 * (expected === undefined ? 0 : partOf(expected)));
    // Whoever comes after one who calls nearly all the time says nothing by it.
    if (chance >= NEARLY) return false;
    client.turns.take(same, chance);
    client.turnsTaken++;
    if (!same) return false;
    client.turnCount++;
    meet(client, previous.number);
    meet(previous, client.number);
    return true;
  };
  return {
    clients,
    take(sighting) {
      const client = clientOf(sighting);
      client.calls++;
      let isMet = false;
      if (last !== client.number) {
        if (last !== 0 && lastButOne !== client.number) isMet = takeTurn(client, sighting.at);
        turns++;
        client.part = partOf(client) + FADE;
        client.seenAt = turns;
        [lastButOne, last] = [last, client.number];
      }
      client.last = Math.max(client.last, sighting.at);
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
    groupOf: (client) => crowdAround(client, byNumber, evidenceOf, KINDS),
  };
}
