import type { Incidents } from '../../incident/open-incidents.ts';
import type { Backends } from '../backend/open-backends.ts';
import type { OpenBudgets } from '../limits/index.ts';
import { BUDGET_STEPS } from '../limits.ts';
import type { Metrics } from '../observe/metrics.ts';

/** Numbers that are asked for when the metrics are read: queues, memory, budgets, alarms and cases. */
export function watchNumbers(
  metrics: Metrics,
  {
    backends,
    budgets,
    incidents,
  }: {
    readonly backends: Pick<Backends, 'status' | 'lostThreads' | 'memory'>;
    readonly budgets: Pick<OpenBudgets, 'standing'>;
    readonly incidents: Pick<Incidents, 'counts' | 'dropped'>;
  },
): void {
  watchModels(metrics, backends);
  watchBudgets(metrics, budgets);
  watchIncidents(metrics, incidents);
}

function watchModels(
  metrics: Metrics,
  { status, lostThreads, memory }: Pick<Backends, 'status' | 'lostThreads' | 'memory'>,
): void {
  metrics.watch('glacis_model_waiting', 'Samples that wait for a run.', ['model', 'version'], () =>
    status().flatMap(({ model, versions }) =>
      versions.map(({ version, load }) => ({ labels: { model, version }, value: load.waiting })),
    ),
  );
  metrics.watch('glacis_lost_threads', 'Threads in runs that do not end.', [], () => [
    { labels: {}, value: lostThreads() },
  ]);
  metrics.watch('glacis_memory_bytes', 'Weights in memory.', ['what'], () => [
    { labels: { what: 'used' }, value: memory().used },
    { labels: { what: 'limit' }, value: memory().limit },
  ]);
}

/** How far budgets are used up, without whose: callers never are labels. */
function watchBudgets(metrics: Metrics, { standing }: Pick<OpenBudgets, 'standing'>): void {
  metrics.watch(
    'glacis_budgets',
    'Budgets in use on this gateway, by the step that they have reached.',
    ['scope', 'step'],
    () =>
      standing().flatMap(({ scope, counts }) =>
        BUDGET_STEPS.map((step) => ({ labels: { scope, step }, value: counts[step] })),
      ),
  );
  metrics.watch(
    'glacis_budget_share',
    'The largest share used of any budget in use on this gateway; from 1 on its queries are refused.',
    ['scope'],
    () => standing().map(({ scope, share }) => ({ labels: { scope }, value: share })),
  );
}

/** How many alarms and cases there were, and how soon they were contained: seconds by the number of cases is the mean. */
function watchIncidents(metrics: Metrics, { counts, dropped }: Pick<Incidents, 'counts' | 'dropped'>): void {
  const one = (name: string, help: string, read: () => number) =>
    metrics.watch(name, help, [], () => [{ labels: {}, value: read() }]);
  one('glacis_alarms', 'Alarms that were kept or counted since the start.', () => counts().alarms);
  one('glacis_alarms_dropped', 'Alarms that found no room since the start.', dropped);
  one('glacis_cases_opened', 'Cases that were opened since the start.', () => counts().opened);
  one('glacis_cases_contained', 'Cases that a measure contained since the start.', () => counts().contained);
  one(
    'glacis_containment_seconds',
    'Seconds from the first bad query to the first measure in force, of all contained cases together.',
    () => counts().containedMilliseconds / 1000,
  );
}
