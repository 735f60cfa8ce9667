import { throwIfCancelled } from '../../core/cancel.ts';
import type { Store } from '../../store/index.ts';
import { isWithin, type Past, type PastDecision, type PastPage } from '../past.ts';
import type { AffectedDecision, ImpactScope, ImpactSummary, Replay } from './impact.ts';
import { openTally } from './tally.ts';

/** What a search depends on. */
export interface RunImpactSetting {
  readonly store: Pick<Store, 'db' | 'transact'>;
  readonly past: Past;
  /** Opens the good model; undefined where nothing is replayed. */
  readonly replay?: Replay | undefined;
  readonly mostRows: number;
  readonly mostReplayed: number;
  /** How far the score of the same class may lie off. */
  readonly tolerance: number;
  readonly signal: AbortSignal;
  /** Models whose configuration names the feed of the scope. */
  readonly feedModels: ReadonlySet<string>;
  /** Milliseconds. */
  readonly now: () => number;
  /** Hears of each step. */
  readonly stepped: (impact: ImpactSummary) => void;
}

/** Where a search is, as the store keeps it: it goes on from there after a restart. */
export interface ImpactState {
  readonly summary: ImpactSummary;
  readonly cursor: number;
  readonly rows: number;
  readonly tally: readonly (readonly [string, number, number])[];
}

/** Decisions that are replayed at once. */
const BATCH = 256;
/** Milliseconds between two times that a search keeps where it is, and rows that may wait for it. */
const SAVE = 2000;
const MOST_PENDING = 2000;

/**
 * Looks at the decisions of a scope in the order of the log, replays the affected ones, and keeps where it is every two seconds, together with what it counted:
 * nothing is counted twice after a restart. Memory: a few pages, and the counts of 100,000 principals. Errors: those of the log, the store and the model; `run/cancelled`.
 */
export async function runImpact(state: ImpactState, setting: RunImpactSetting): Promise<ImpactSummary> {
  const { past, replay, signal, stepped, feedModels } = setting;
  let { summary, cursor, rows } = state;
  const tally = openTally(state.tally, summary.others);
  const digests = new Set(summary.digests);
  let pending: AffectedDecision[] = [];
  let saved = setting.now();
  for (;;) {
    throwIfCancelled(signal, 'impact');
    const page: PastPage = await past.page(pastScope(summary), cursor, signal);
    const affected = page.decisions.filter((each) =>
      isAffected(each, summary.scope, { digests, feedModels }),
    );
    let { replayed, different, unkept } = summary;
    for (let at = 0; at < affected.length; at += BATCH) {
      throwIfCancelled(signal, 'impact');
      const batch = affected.slice(at, at + BATCH);
      const asked =
        replay && replayed < setting.mostReplayed ? batch.filter(({ top }) => top !== undefined) : [];
      const said = asked.length > 0 ? await replay!.run(asked, signal) : [];
      const nowOf = new Map(asked.map((each, i) => [each.entry, said[i]]));
      for (const each of batch) {
        const now = nowOf.get(each.entry);
        const differs = now !== undefined && isDifferent(each.top ?? [], now, setting.tolerance);
        if (now !== undefined) replayed++;
        else if (nowOf.has(each.entry)) unkept++;
        if (differs) different++;
        tally.add(each.principal, differs ? 1 : 0);
        pending.push({ ...each, ...(now && { now: now.slice(0, 64) }), different: differs });
      }
    }
    cursor = page.cursor;
    summary = {
      ...summary,
      ...{ replayed, different, unkept },
      looked: summary.looked + page.decisions.length,
      affected: summary.affected + affected.length,
      progress: [Math.min(cursor, page.of), page.of],
      ...tally.shown(),
    };
    if (page.isEnd || pending.length >= MOST_PENDING || setting.now() - saved >= SAVE) {
      rows = await save({ summary, cursor, rows, tally: tally.all() }, pending, setting);
      pending = [];
      saved = setting.now();
    }
    stepped(summary);
    if (page.isEnd) return { ...summary, state: 'done' };
    // Others get their turn between two pages.
    await new Promise(setImmediate);
  }
}

/** What the index is asked: several models at once it is not. */
function pastScope({ scope, digests }: ImpactSummary) {
  const { feed: _, data: __, ...rest } = scope;
  return digests.length === 1 ? { ...rest, digest: digests[0] } : rest;
}

/**
 * Whether a decision is in the scope. One rests on a feed where the guard of feeds looked at it and names the feed, which it does where it refuses, or where the model's
 * configuration names it.
 */
export function isAffected(
  decision: PastDecision,
  scope: ImpactScope,
  {
    digests,
    feedModels,
  }: { readonly digests: ReadonlySet<string>; readonly feedModels: ReadonlySet<string> },
): boolean {
  if (!isWithin(decision, scope)) return false;
  if (scope.data !== undefined && !digests.has(decision.digest ?? '')) return false;
  if (scope.feed === undefined) return true;
  const looked = decision.guards.filter(({ guard }) => guard === 'feeds');
  return looked.some(
    ({ because }) => feedModels.has(decision.model) || because?.startsWith(`feed ${scope.feed}:`),
  );
}

/** Whether another class, or the same one with a score that lies further off than `tolerance`, is likeliest for some sample. */
function isDifferent(
  then: NonNullable<PastDecision['top']>,
  now: NonNullable<PastDecision['top']>,
  tolerance: number,
): boolean {
  return then.some(([label, score], i) => {
    const other = now[i];
    if (other === undefined) return false;
    return other[0] !== label || (tolerance < 1 && Math.abs(other[1] - score) > tolerance);
  });
}

/** Keeps where the search is together with the rows of its page, all or nothing; those that differ push out those that do not. Gives how many rows there are. */
async function save(
  { summary, cursor, rows, tally }: ImpactState,
  found: readonly AffectedDecision[],
  { store, mostRows }: RunImpactSetting,
): Promise<number> {
  return store.transact(async (db) => {
    const different = found.filter((each) => each.different);
    const same = found.filter((each) => !each.different);
    const room = mostRows - rows;
    const kept = [...different.slice(0, mostRows), ...same.slice(0, Math.max(0, room - different.length))];
    const tooMany = rows + kept.length - mostRows;
    if (tooMany > 0) {
      // Those without a difference make room, then what differs and is newest stays away.
      const leaving = await db
        .selectFrom('impact_rows')
        .select('entry')
        .where('impact', '=', summary.id)
        .where('different', '=', 0)
        .orderBy('entry', 'desc')
        .limit(tooMany)
        .execute();
      for (let i = 0; i < leaving.length; i += 500)
        await db
          .deleteFrom('impact_rows')
          .where('impact', '=', summary.id)
          .where(
            'entry',
            'in',
            leaving.slice(i, i + 500).map(({ entry }) => entry),
          )
          .execute();
      kept.splice(kept.length - Math.max(0, tooMany - leaving.length));
      rows -= leaving.length;
    }
    for (let i = 0; i < kept.length; i += 200)
      await db
        .insertInto('impact_rows')
        .values(
          kept.slice(i, i + 200).map((each) => ({
            impact: summary.id,
            entry: each.entry,
            different: each.different ? 1 : 0,
            body: JSON.stringify(each),
          })),
        )
        .execute();
    const body = JSON.stringify({ summary, rows: rows + kept.length, tally });
    await db
      .updateTable('impacts')
      .set({ state: summary.state, cursor, body })
      .where('id', '=', summary.id)
      .execute();
    return rows + kept.length;
  });
}
