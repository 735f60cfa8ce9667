import { GlacisError } from '../core/error.ts';
import { sha256 } from './canonical.ts';
import type { Case, CaseEvent } from './case.ts';
import { type CaseRecord, caseOf, type Database, readCase } from './case-store.ts';
import { type ChangeSetting, changeCase, needCase } from './change-case.ts';
import type { IncidentsConfig } from './config-schema.ts';
import type { Containment, Order, OrderWish } from './order.ts';
import { cut } from './text.ts';
import { checkWish, whom } from './wish.ts';

/** What became of an act: done, or waiting for a second person under the id `act`. */
export type ActOutcome =
  | { readonly done: true; readonly order: Order; readonly case: Case }
  | { readonly done: false; readonly act: string; readonly case: Case };

/** What acts depend on. */
export interface ActsSetting extends ChangeSetting {
  readonly config: () => IncidentsConfig;
  readonly containment: Containment;
  /** Hears how long after its first bad query a case was contained, in milliseconds. */
  readonly contained?: ((milliseconds: number) => void) | undefined;
}

/** Measures of cases: asked for, approved, taken, ended. */
export interface Acts {
  /** Does it, or asks for a second person where the policy wants one (`ask`: in any case). Errors: `option/invalid`, those of the containment, the log and the store. */
  act(id: string, wish: OrderWish, by: string, ask?: boolean): Promise<ActOutcome>;
  /** Ends a measure of a case, or asks. Errors: as `act`. */
  lift(order: Order, by: string): Promise<ActOutcome>;
  /** The second person's word: then it is done. Never that of who asked, whichever key is used. Errors: `option/invalid`, `store/conflict`, as `act`. */
  approve(id: string, act: string, by: string): Promise<ActOutcome>;
  /** It is not done. Who asked may say so, too. Errors: `option/invalid`, `store/conflict`. */
  decline(id: string, act: string, by: string): Promise<Case>;
  /** Writes a measure, or its end, into its case, once. Those that this gave are there already. */
  note(order: Order): Promise<void>;
  needsApproval(wish: OrderWish): boolean;
}

/** Acts on cases. */
export function openActs(setting: ActsSetting): Acts {
  const { store, containment, now, freshId } = setting;
  const change = (id: string, given: Parameters<typeof changeCase>[1]) => changeCase(id, given, setting);
  const needsApproval = ({ measure }: OrderWish) => setting.config().fourEyes.measures.includes(measure);

  /** Notes under way: what is ordered here is told of from elsewhere at the same moment. */
  const noting = new Map<string, Promise<Case | undefined>>();
  const note = (order: Order): Promise<Case | undefined> => {
    const kind = order.ended === undefined ? 'measure' : 'lifted';
    // Once a case: another case may rest on the same measure.
    const id = sha256(`${kind}\0${order.case}\0${order.id}`).slice(0, 32);
    const under = noting.get(id);
    if (under) return under;
    const mine = noteOnce(order, kind, id).finally(() => noting.delete(id));
    noting.set(id, mine);
    return mine;
  };
  const noteOnce = async (
    order: Order,
    kind: 'measure' | 'lifted',
    id: string,
  ): Promise<Case | undefined> => {
    const there = order.case === undefined ? undefined : await readCase(store.db, order.case);
    if (order.case === undefined || there === undefined) return undefined;
    if (await hasEvent(store.db, id)) return caseOf(there);
    const by = kind === 'measure' ? order.by : (order.endedBy ?? order.by);
    const about = cut(whom(order.target), 600);
    const { case: after } = await change(order.case, {
      ...{ by, id },
      what: { kind, order: order.id, measure: order.measure, about },
      apply: (record) => (kind === 'measure' ? contained(record, order.at) : record),
    }).catch(async (thrown) => {
      // Somebody noted it at the same moment.
      if (await hasEvent(store.db, id)) return { case: caseOf(await needCase(store, order.case!)) };
      throw thrown;
    });
    if (kind === 'measure' && there.containedAt === undefined && after.containedAfter !== undefined)
      setting.contained?.(after.containedAfter);
    return after;
  };
  const take = async (id: string, wish: OrderWish, by: string): Promise<ActOutcome> => {
    const order = await containment.order({ ...wish, case: id }, by);
    // The same wish of another case gives the order that is in force.
    const noted = await note({ ...order, case: id, by });
    return { done: true, order, case: noted ?? caseOf(await needCase(store, id)) };
  };
  const end = async (order: Order, by: string): Promise<ActOutcome> => {
    const ended = await containment.lift(order.id, by);
    const noted = await note({ ...ended, ended: ended.ended ?? now(), endedBy: ended.endedBy ?? by });
    return { done: true, order: ended, case: noted ?? caseOf(await needCase(store, order.case!)) };
  };
  const ask = async (
    id: string,
    by: string,
    asked: { readonly wish: OrderWish } | { readonly lift: string },
  ): Promise<ActOutcome> => {
    const act = freshId();
    const done = await change(id, { by, what: { kind: 'asked', act, needs: 'approval', ...asked } });
    return { done: false, act, case: done.case };
  };
  const asked = async (id: string, act: string) => {
    const row = /^[0-9a-f]{32}$/.test(act)
      ? await store.db
          .selectFrom('case_events')
          .selectAll()
          .where('case_id', '=', id)
          .where('kind', '=', 'asked')
          .where('word', '=', act)
          .executeTakeFirst()
      : undefined;
    if (!row) throw new GlacisError('option/invalid', 'act: expected one that waits, got another id');
    if (await hasEvent(store.db, answerId(act)))
      throw new GlacisError('store/conflict', 'act: somebody has approved or declined it already');
    const what = JSON.parse(row.body) as Extract<CaseEvent['what'], { kind: 'asked' }>;
    return { what, by: JSON.parse(row.actor) as string, at: Number(row.at) };
  };

  return {
    needsApproval,
    async act(id, given, by, mustAsk = false) {
      await needCase(store, id);
      const wish = { ...given, case: id };
      checkWish(wish, now());
      return mustAsk || needsApproval(wish) ? ask(id, by, { wish }) : take(id, wish, by);
    },
    async lift(order, by) {
      const needs = order.case !== undefined && setting.config().fourEyes.lift.includes(order.measure);
      return needs ? ask(order.case!, by, { lift: order.id }) : end(order, by);
    },
    async approve(id, act, by) {
      const found = await asked(id, act);
      if (found.by === by)
        throw new GlacisError('option/invalid', 'act: expected the approval of somebody else than who asked');
      if (now() - found.at > setting.config().fourEyes.lasts)
        throw new GlacisError('option/invalid', 'act: it was asked for too long ago; ask again');
      const { wish, lift } = found.what;
      if (wish) checkWish(wish, now());
      await change(id, { by, id: answerId(act), what: { kind: 'approved', act } });
      if (wish) return take(id, wish, found.by === 'glacis' ? by : found.by);
      // It may be another case's, or of none: those in force are shown with each case that they concern.
      const order =
        containment.active().find((each) => each.id === lift) ??
        (await containment.list({ case: id, most: 1000 })).find((each) => each.id === lift);
      if (!order) throw new GlacisError('option/invalid', 'act: expected a measure that there is');
      return end({ ...order, case: id }, by);
    },
    async decline(id, act, by) {
      await asked(id, act);
      const done = await change(id, { by, id: answerId(act), what: { kind: 'declined', act } });
      return done.case;
    },
    async note(order) {
      await note(order);
    },
  };
}

/** The id of the answer to an act: there can be one. */
function answerId(act: string): string {
  return sha256(`answer\0${act}`).slice(0, 32);
}

async function hasEvent(db: Database, id: string): Promise<boolean> {
  return (
    (await db.selectFrom('case_events').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  );
}

/** A case with a measure in force: contained, unless it is closed. */
function contained(record: CaseRecord, at: number): CaseRecord {
  const { state, containedAt, revision } = record;
  const moves = state === 'open' || state === 'working';
  return {
    ...record,
    containedAt: Math.min(containedAt ?? at, at),
    ...(moves && { state: 'contained' as const, revision: revision + 1 }),
  };
}
