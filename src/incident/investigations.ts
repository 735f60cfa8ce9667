import { GlacisError } from '../core/error.ts';
import type { Store } from '../store/index.ts';
import type { CaseEvent } from './case.ts';
import type { EvidenceShelf } from './evidence/evidence-shelf.ts';
import { type EvidenceSetting, writeEvidence } from './evidence/write-evidence.ts';
import type { AffectedDecision, ImpactSummary } from './impact/impact.ts';
import { type Impacts, type ImpactsSetting, openImpacts } from './impact/open-impacts.ts';
import type { CaseView, Incidents } from './open-incidents.ts';
import type { Past, PastDecision } from './past.ts';
import { openWhatIfs, type ReplayWhatIf, type WhatIfs } from './what-if/open-what-ifs.ts';

/** What looking into incidents depends on. */
export interface InvestigationsSurroundings
  extends Pick<
      ImpactsSetting,
      'search' | 'modelsWith' | 'modelsOfFeed' | 'log' | 'now' | 'freshId' | 'failed'
    >,
    Pick<EvidenceSetting, 'record' | 'pack'> {
  readonly incidents: Incidents;
  readonly store: Store;
  /** Finds decisions by their ids. */
  readonly past: Pick<Past, 'find'>;
  readonly replayWhatIf: ReplayWhatIf;
  readonly ledger: EvidenceSetting['log'];
  /** The text of the log's trust file. */
  readonly trustFile: string;
  readonly shelf: EvidenceShelf;
  /** Models that are served, with what was checked: plain JSON. */
  readonly models: () => readonly object[];
}

/** A bundle that was made. */
export interface MadeBundle {
  readonly digest: string;
  readonly bytes: number;
}

/** Searches for what was affected, evidence of cases, and replays of the past. */
export interface Investigations {
  readonly impacts: Impacts;
  readonly whatIfs: WhatIfs;
  /** Packs a case with all that is known of it. Errors: `option/invalid`, those of log and store. */
  bundle(id: string, by: string, signal?: AbortSignal): Promise<MadeBundle>;
  /** The bytes of a bundle, by its digest. */
  bundleBytes(digest: string): Promise<Buffer | undefined>;
  /** The newest bundle of a case that is still there. */
  newestBundle(id: string): Promise<string | undefined>;
  /** Decisions that show a case, the most telling first. */
  decisionsOf(view: CaseView, most: number): Promise<readonly PastDecision[]>;
  close(): Promise<void>;
}

/** Searches of a case in its bundle, rows of each, and decisions of its alarms. */
const MOST_IMPACTS = 10;
const MOST_ROWS = 10_000;
const MOST_SHOWN = 500;

/** Opens investigations, and goes on with searches that a restart has interrupted. Errors: those of the store. */
export async function openInvestigations(around: InvestigationsSurroundings): Promise<Investigations> {
  const { incidents, store, past, shelf, ledger, failed } = around;
  const never = new AbortController().signal;

  const rowsOf = async (id: string): Promise<readonly AffectedDecision[]> => {
    const rows: AffectedDecision[] = [];
    for (let before: string | undefined; rows.length < MOST_ROWS; ) {
      const page = await impacts.rows(id, { before, most: 500 });
      rows.push(...page.rows);
      before = page.next;
      if (before === undefined) break;
    }
    return rows.slice(0, MOST_ROWS);
  };
  const decisionsOf = async ({ alarms }: CaseView, most: number): Promise<readonly PastDecision[]> => {
    const ids = new Set(alarms.toReversed().flatMap(({ decisions }) => decisions));
    return past.find([...ids].slice(0, most), never);
  };
  const bundle = async (
    id: string,
    by: string,
    extra: readonly ImpactSummary[] = [],
    signal?: AbortSignal,
  ) => {
    const view = await incidents.find(id);
    if (view === undefined)
      throw new GlacisError('option/invalid', 'case: expected one that there is, got another id');
    const known = (await impacts.ofCase(id)).filter(
      ({ state, id: each }) => state === 'done' && !extra.some((one) => one.id === each),
    );
    const searches = [...extra, ...known].slice(0, MOST_IMPACTS);
    const parts = {
      view,
      decisions: await decisionsOf(view, MOST_SHOWN),
      impacts: await Promise.all(searches.map(async (impact) => ({ impact, rows: await rowsOf(impact.id) }))),
      models: around.models(),
      trustFile: around.trustFile,
    };
    const { now, freshId, record, pack } = around;
    const made = await writeEvidence(parts, by, {
      log: ledger,
      ...{ record, pack, now, freshId, signal },
      key: shelf.key,
    });
    await shelf.put(made.digest, made.zip);
    await incidents.add(
      id,
      made.event.what as Extract<CaseEvent['what'], { kind: 'bundle' }>,
      by,
      made.event,
    );
    return { digest: made.digest, bytes: made.zip.length };
  };
  const impacts = openImpacts({
    ...around,
    config: incidents.config,
    /** What was found goes into the case, and the case into a bundle. */
    async ended(impact) {
      const { case: of, affected, different, against, by, state } = impact;
      if (of === undefined || state !== 'done') return {};
      await incidents.add(
        of,
        { kind: 'impact', decisions: affected, ...(against !== undefined && { different }) },
        by,
      );
      return { bundle: await bundle(of, by, [impact]) };
    },
  });
  const whatIfs = openWhatIfs({
    ...{ store, failed, freshId: around.freshId },
    replay: around.replayWhatIf,
  });
  await impacts.resume();
  return {
    impacts,
    whatIfs,
    bundle: (id, by, signal) => bundle(id, by, [], signal),
    bundleBytes: (digest) => shelf.get(digest),
    async newestBundle(id) {
      const { events = [] } = (await incidents.find(id)) ?? {};
      for (const { what } of events.toReversed())
        if (what.kind === 'bundle' && (await shelf.get(what.digest)) !== undefined) return what.digest;
      return undefined;
    },
    decisionsOf,
    async close() {
      await whatIfs.close();
      await impacts.close();
    },
  };
}
