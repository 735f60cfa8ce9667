import { throwIfCancelled } from '../../core/cancel.ts';
import { isWithin, type Past, type PastDecision, type PastPage } from '../past.ts';
import type { AffectedDecision, ImpactScope, ImpactSummary, Replay } from './impact.ts';
import { openTally } from './tally.ts';

/** A search, from where it stands: plain data, so that it can go to a thread. */
export interface ImpactSearch {
  readonly state: ImpactState;
  readonly mostReplayed: number;
  /** How far the score of the same class may lie off. */
  readonly tolerance: number;
  /** Models whose configuration names the feed of the scope. */
  readonly feedModels: readonly string[];
}

/** What a search depends on. */
export interface RunImpactSetting {
  readonly past: Pick<Past, 'page'>;
  /** The good model; undefined where nothing is replayed. */
  readonly replay?: Replay | undefined;
  /** Keeps where the search is together with what it found since, all or nothing; gives how many rows there are. */
  readonly keep: (step: KeptStep) => Promise<number>;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly now: () => number;
  /** Hears of each step that is kept. */
  readonly stepped: (impact: ImpactSummary) => void;
}

/** Where a search is and what it has found since the step before. Long lists are text already: whoever keeps it has little to do. */
export interface KeptStep {
  readonly id: string;
  readonly state: ImpactSummary['state'];
  readonly cursor: number;
  /** Rows that were kept before. */
  readonly rows: number;
  /** JSON. */
  readonly summary: string;
  readonly tally: string;
  readonly found: readonly { readonly entry: number; readonly different: boolean; readonly body: string }[];
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
/** Milliseconds between two times that a search keeps where it is, or so many times what that takes, and rows that may wait for it. */
const SAVE = 2000;
const SHARE = 20;
const MOST_PENDING = 2000;

/**
 * Looks at the decisions of a scope in the order of the log, replays the affected ones, and keeps where it is every two seconds, together with what it counted:
 * nothing is counted twice after a restart. Memory: a few pages, and the counts of 100,000 principals. Errors: those of the log, the store and the model; `run/cancelled`.
 */
export async function runImpact(
  { state, mostReplayed, tolerance, feedModels: named }: ImpactSearch,
  { past, replay, keep, signal, now: clock, stepped }: RunImpactSetting,
): Promise<ImpactSummary> {
  let { summary, cursor, rows } = state;
  const tally = openTally(state.tally, summary.others);
  const feedModels = new Set(named);
  const digests = new Set(summary.digests);
  let pending: AffectedDecision[] = [];
  let [saved, every] = [clock(), SAVE];
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
      const asked = replay && replayed < mostReplayed ? batch.filter(({ top }) => top !== undefined) : [];
      const said = asked.length > 0 ? await replay!.run(asked, signal) : [];
      const nowOf = new Map(asked.map((each, i) => [each.entry, said[i]]));
      for (const each of batch) {
        const now = nowOf.get(each.entry);
        const differs = now !== undefined && isDifferent(each.top ?? [], now, tolerance);
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
      looked: summary.looked + page.looked,
      affected: summary.affected + affected.length,
      progress: [Math.min(cursor, page.of), page.of],
    };
    const begun = clock();
    if (page.isEnd || pending.length >= MOST_PENDING || begun - saved >= every) {
      summary = { ...summary, ...tally.shown() };
      rows = await keep({
        ...{ id: summary.id, state: summary.state, cursor, rows },
        summary: JSON.stringify(summary),
        tally: JSON.stringify(tally.all()),
        found: pending.map((each) => ({
          ...{ entry: each.entry, different: each.different },
          body: JSON.stringify(each),
        })),
      });
      pending = [];
      saved = clock();
      every = Math.max(SAVE, SHARE * (saved - begun));
      stepped(summary);
    }
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
