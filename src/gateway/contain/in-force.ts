import type { Order, OrderTarget } from '../../incident/order.ts';
import { type Detail, lesser } from '../detail.ts';
import { addressKey, addressKeys } from '../limits/address-key.ts';
import type { CallOrders, Restraint } from '../orders.ts';
import type { Principal } from '../principal.ts';
import { Refused } from '../refusal.ts';
import type { ServedModel } from '../served-model.ts';
import type { StoredOrder } from './order-row.ts';
import type { StandIn } from './stand-in.ts';
import { stricterGuard } from './stricter-guard.ts';
import type { Throttles } from './throttles.ts';

/** Whoever has one IPv6 address has the whole network of these many bits. */
const IPV6_BITS = 64;

/** What measures need of the gateway to be looked up. */
export interface InForceSurroundings {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly throttles: Throttles;
  /** A version of a model as it is served. */
  readonly find: (model: string, version: string) => ServedModel | undefined;
  /** The model that answers in place of this one. Errors: `option/invalid` where there is none that can. */
  readonly standInFor: (model: ServedModel) => StandIn;
}

/** Measures as calls look them up. */
export interface InForce extends CallOrders {
  readonly all: readonly StoredOrder[];
  /** The freeze, where one is in force. */
  readonly frozen: StoredOrder | undefined;
}

/** Measures of one kind of target, by its value. */
type ByName = Map<string, StoredOrder[]>;

/**
 * Compiles measures for calls: each is filed under one part of its target, so that a call looks at those that may be about it, however many there are. Cost: nothing
 * without measures, up to six look-ups with them.
 */
export function compileOrders(all: readonly StoredOrder[], around: InForceSurroundings): InForce {
  const { now, throttles, find, standInFor } = around;
  const principals: ByName = new Map();
  const tenants: ByName = new Map();
  const credentials: ByName = new Map();
  const addresses: ByName = new Map();
  const models: ByName = new Map();
  const everybody: StoredOrder[] = [];
  const rollbacks: ByName = new Map();
  const frozen: StoredOrder[] = [];
  const keyOf = addressKeys(IPV6_BITS);
  for (const stored of all) {
    const { measure, target } = stored.order;
    if (measure === 'freeze') frozen.push(stored);
    else if (measure === 'rollback') file(rollbacks, target.model!, stored);
    else if (target.principal !== undefined) file(principals, target.principal, stored);
    else if (target.credential !== undefined) file(credentials, target.credential, stored);
    else if (target.tenant !== undefined) file(tenants, target.tenant, stored);
    else if (target.address !== undefined) file(addresses, addressKey(target.address, IPV6_BITS), stored);
    else if (target.model !== undefined) file(models, target.model, stored);
    else everybody.push(stored);
  }
  throttles.keep(new Set(all.map(({ effect }) => effect)));

  const lasts = ({ order: { until } }: StoredOrder, time: number) => until === undefined || time < until;
  const isAbout = (
    target: OrderTarget,
    { id, tenant, credential }: Principal,
    address: string,
    model: string,
  ): boolean =>
    (target.principal === undefined || target.principal === id) &&
    (target.tenant === undefined || target.tenant === tenant) &&
    (target.credential === undefined || target.credential === credential) &&
    (target.model === undefined || target.model === model) &&
    (target.address === undefined || addressKey(target.address, IPV6_BITS) === keyOf(address));
  const wrongVersion = (model: ServedModel, time: number): StoredOrder | undefined =>
    rollbacks
      .get(model.name)
      ?.find((stored) => stored.before.fromDigest === model.digest && lasts(stored, time));

  return {
    all,
    get frozen() {
      const time = now();
      return frozen.find((stored) => lasts(stored, time));
    },
    route(found) {
      if (found === undefined || rollbacks.size === 0) return found;
      const wrong = wrongVersion(found, now());
      if (wrong === undefined) return found;
      const { to = '', toDigest } = wrong.before;
      const other = find(found.name, to);
      // Without the version before, the wrong one is found, and `about` refuses it.
      return other !== undefined && other.digest === toDigest ? other : found;
    },
    about(principal, address, model) {
      if (all.length === 0) return undefined;
      const time = now();
      const own: StoredOrder[] = [];
      const look = (filed: readonly StoredOrder[] | undefined): void => {
        if (filed === undefined) return;
        for (const stored of filed)
          if (isAbout(stored.order.target, principal, address, model.name) && lasts(stored, time))
            own.push(stored);
      };
      if (principals.size > 0) look(principals.get(principal.id));
      if (credentials.size > 0) look(credentials.get(principal.credential));
      if (tenants.size > 0) look(tenants.get(principal.tenant));
      if (addresses.size > 0) look(addresses.get(keyOf(address)));
      if (models.size > 0) look(models.get(model.name));
      look(everybody);
      const wrong = rollbacks.size === 0 ? undefined : wrongVersion(model, time);
      if (wrong !== undefined) own.push(wrong);
      return own.length === 0 ? undefined : restraintOf(own, model, throttles, standInFor);
    },
  };
}

function restraintOf(
  own: readonly StoredOrder[],
  model: ServedModel,
  throttles: Throttles,
  standInFor: InForceSurroundings['standInFor'],
): Restraint {
  const orders = own.map(({ order }) => order);
  const first = (measure: Order['measure']) => orders.find((order) => order.measure === measure);
  const throttled = own.flatMap(({ order: { perMinute }, effect }) =>
    perMinute === undefined ? [] : [{ effect, perMinute }],
  );
  const stricter = orders.flatMap(({ guard }) => guard ?? []);
  const verify = first('verify');
  return {
    because: orders.map(named).join(', '),
    admit() {
      const kept = first('quarantine');
      if (kept) throw new Refused('unknown', named(kept));
      const stopped = first('pause');
      if (stopped) throw new Refused('unavailable', named(stopped));
      const wrong = first('rollback');
      if (wrong)
        throw new Refused('unavailable', `${named(wrong)}: version ${wrong.changed?.to} is not in memory`);
    },
    take(n) {
      if (throttled.length === 0) return;
      const retryAfter = throttles.take(throttled, n);
      if (retryAfter !== undefined) throw new Refused('throttled', named(first('throttle')!), { retryAfter });
    },
    most: orders.reduce<Detail | undefined>((most, { measure, detail = 'label' }) => {
      if (measure !== 'degrade') return most;
      return most === undefined ? detail : lesser(most, detail);
    }, undefined),
    guards: (guards) =>
      stricter.length === 0
        ? guards
        : guards.map((guard) =>
            stricterGuard(
              guard,
              stricter.filter(({ name }) => name === guard.name),
            ),
          ),
    standIn: verify && standInOf(verify, model, standInFor),
  };
}

/** Closed where nobody can answer in its place any more. */
function standInOf(order: Order, model: ServedModel, standInFor: InForceSurroundings['standInFor']): StandIn {
  try {
    return standInFor(model);
  } catch (cause) {
    const because = cause instanceof Error ? cause.message : String(cause);
    throw new Refused('unavailable', `${named(order)}: ${because}`, { cause });
  }
}

function named({ id, measure }: Order): string {
  return `order ${id}: ${measure}`;
}

function file(filed: ByName, name: string, stored: StoredOrder): void {
  const there = filed.get(name);
  if (there === undefined) filed.set(name, [stored]);
  else there.push(stored);
}
