import { GlacisError } from '../../core/error.ts';
import type { Store } from '../../store/index.ts';
import type { IncidentsConfig } from '../config-schema.ts';
import type { AffectedDecision, ImpactScope, ImpactSummary } from './impact.ts';
import { keepStep } from './keep-step.ts';
import type { ImpactSearch, ImpactState, RunImpactSetting } from './run-impact.ts';

/** Runs a search, here or in a thread. Errors: those of the log, the store and the model; `run/cancelled`. */
export type SearchImpact = (
  search: ImpactSearch,
  watch: Pick<RunImpactSetting, 'keep' | 'signal' | 'stepped'>,
) => Promise<ImpactSummary>;

/** What searches depend on. */
export interface ImpactsSetting {
  readonly config: () => IncidentsConfig;
  readonly store: Store;
  readonly search: SearchImpact;
  /** Digests of the models whose provenance names this data. */
  readonly modelsWith?: ((data: string) => Promise<readonly string[]>) | undefined;
  /** Models whose configuration names a feed. */
  readonly modelsOfFeed?: ((feed: string) => readonly string[]) | undefined;
  /** Which log this is: searches of other logs in the same store are theirs. */
  readonly log: string;
  readonly now: () => number;
  readonly freshId: () => string;
  /** Hears of a search that has ended, before it is shown as ended: what it gives is kept with it. */
  readonly ended: (impact: ImpactSummary) => Promise<Partial<ImpactSummary>>;
  /** Hears of each step; what was found is told by the case. */
  readonly notify?: ((impact: ImpactSummary) => void) | undefined;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** Searches for what was affected. */
export interface Impacts {
  /** Begins one; those before it come first. Errors: `option/invalid` (nothing asked about, too many wait). */
  start(
    wish: {
      readonly scope: ImpactScope;
      readonly against?: string | undefined;
      readonly case?: string | undefined;
    },
    by: string,
  ): Promise<ImpactSummary>;
  find(id: string): Promise<ImpactSummary | undefined>;
  /** Affected decisions, those that differ first, in the order of the log; `before` is what the page before gave as `next`. */
  rows(
    id: string,
    page: { readonly before?: string | undefined; readonly most?: number | undefined },
  ): Promise<{ readonly rows: readonly AffectedDecision[]; readonly next?: string | undefined }>;
  /** Searches of a case, the newest first. */
  ofCase(id: string): Promise<readonly ImpactSummary[]>;
  cancel(id: string): Promise<void>;
  /** Goes on with what a restart has interrupted. */
  resume(): Promise<void>;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const MOST_WAITING = 32;
const MOST_PAGE = 500;

/** Opens the searches; one runs at a time. */
export function openImpacts(setting: ImpactsSetting): Impacts {
  const { config, store, now, freshId, notify = () => {}, failed } = setting;
  const { db } = store;
  const stopping = new Map<string, AbortController>();
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;

  const read = async (id: string): Promise<ImpactState | undefined> => {
    if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
    const row = await db.selectFrom('impacts').selectAll().where('id', '=', id).executeTakeFirst();
    return row && stateOf(row);
  };
  const end = async (summary: ImpactSummary, state: ImpactState): Promise<void> => {
    await db
      .updateTable('impacts')
      .set({ state: summary.state, body: JSON.stringify({ summary, rows: state.rows, tally: [] }) })
      .where('id', '=', summary.id)
      .execute();
    notify(summary);
  };
  const run = async (id: string): Promise<void> => {
    const stop = stopping.get(id);
    const state = await read(id);
    if (state?.summary.state !== 'running' || stop === undefined || closed) return;
    const { summary } = state;
    const { mostRows, mostReplayed, tolerance } = config().impact;
    try {
      const done = await setting.search(
        {
          ...{ state, mostReplayed, tolerance },
          feedModels:
            summary.scope.feed === undefined ? [] : (setting.modelsOfFeed?.(summary.scope.feed) ?? []),
        },
        { keep: (step) => keepStep(step, { store, mostRows }), signal: stop.signal, stepped: notify },
      );
      const more = await setting.ended(done).catch((thrown) => {
        failed('impact', thrown);
        return {};
      });
      await end({ ...done, ...more }, (await read(id)) ?? state);
    } catch (thrown) {
      // A gateway that stops goes on later.
      if (closed) return;
      const because = thrown instanceof Error ? thrown.message : String(thrown);
      if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) failed('impact', thrown);
      const last = (await read(id)) ?? state;
      await end({ ...last.summary, state: 'failed', because: because.slice(0, 500) }, last);
    }
  };
  const enqueue = (id: string): void => {
    if (!stopping.has(id)) stopping.set(id, new AbortController());
    turn = turn
      .then(() => run(id))
      .catch((thrown) => failed('impact', thrown))
      .finally(() => stopping.delete(id));
  };

  return {
    async start({ scope, against, case: of }, by) {
      if (Object.values(scope).every((each) => each === undefined))
        throw new GlacisError(
          'option/invalid',
          'impact: expected what is asked about: a model, a time, a principal …',
        );
      if (closed || stopping.size >= MOST_WAITING)
        throw new GlacisError('option/invalid', `impact: expected at most ${MOST_WAITING} searches at once`);
      if (scope.data !== undefined && !setting.modelsWith)
        throw new GlacisError(
          'option/invalid',
          'impact: expected no digest of data; nothing here knows what models were trained on',
        );
      const id = freshId();
      // Its place is taken before anything is waited for.
      stopping.set(id, new AbortController());
      const leave = (thrown: unknown): never => {
        stopping.delete(id);
        throw thrown;
      };
      const digests = scope.data === undefined ? [] : await setting.modelsWith!(scope.data).catch(leave);
      const summary: ImpactSummary = {
        ...{ id, scope, by, digests, log: setting.log },
        ...(of !== undefined && { case: of }),
        ...(against !== undefined && { against }),
        state: 'running',
        at: now(),
        progress: [0, 0],
        ...{ looked: 0, affected: 0, replayed: 0, different: 0, unkept: 0, principals: [], others: 0 },
      };
      await db
        .insertInto('impacts')
        .values({
          ...{ id, state: 'running', at: summary.at, cursor: 0 },
          case_id: of ?? null,
          body: JSON.stringify({ summary, rows: 0, tally: [] }),
        })
        .execute()
        .catch(leave);
      enqueue(id);
      return summary;
    },
    find: async (id) => (await read(id))?.summary,
    async rows(id, { before, most = 100 }) {
      if (!/^[0-9a-f]{32}$/.test(id)) return { rows: [] };
      const limit = Math.max(1, Math.min(MOST_PAGE, Math.floor(most) || 1));
      const [, kind, entry] = /^([01])\.(\d{1,15})$/.exec(before ?? '') ?? [];
      let query = db.selectFrom('impact_rows').selectAll().where('impact', '=', id);
      if (kind !== undefined)
        query = query.where((e) =>
          e.or([
            e('different', '<', Number(kind)),
            e.and([e('different', '=', Number(kind)), e('entry', '>', Number(entry))]),
          ]),
        );
      const found = await query
        .orderBy('different', 'desc')
        .orderBy('entry')
        .limit(limit + 1)
        .execute();
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        rows: page.map(({ body }) => JSON.parse(body) as AffectedDecision),
        ...(found.length > limit && last && { next: `${last.different}.${last.entry}` }),
      };
    },
    async ofCase(id) {
      const rows = await db
        .selectFrom('impacts')
        .selectAll()
        .where('case_id', '=', id)
        .orderBy('at', 'desc')
        .limit(50)
        .execute();
      return rows.map((row) => stateOf(row).summary);
    },
    async cancel(id) {
      const stop = stopping.get(id);
      if (!stop) throw new GlacisError('option/invalid', 'impact: expected a search that runs');
      stop.abort();
    },
    async resume() {
      const rows = await db
        .selectFrom('impacts')
        .select(['id', 'body', 'cursor'])
        .where('state', '=', 'running')
        .orderBy('at')
        .limit(MOST_WAITING)
        .execute();
      for (const row of rows) {
        const { id, log } = stateOf(row).summary;
        if (log === setting.log && !stopping.has(id)) enqueue(id);
      }
    },
    idle: async () => {
      await turn;
    },
    async close() {
      closed = true;
      for (const stop of stopping.values()) stop.abort();
      await turn;
    },
  };
}

function stateOf({ body, cursor }: { readonly body: string; readonly cursor: number }): ImpactState {
  const { summary, rows, tally } = JSON.parse(body) as Omit<ImpactState, 'cursor'>;
  return { summary, rows, tally, cursor: Number(cursor) };
}
