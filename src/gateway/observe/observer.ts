import type { Observer } from '../stages.ts';
import { openCallSpans } from './call-spans.ts';
import type { Metrics } from './metrics.ts';
import type { ProcessLog } from './process-log.ts';

/** Failures of one place that are written out in a minute; the rest is counted: a broken disk must not fill another. */
const MOST_LINES = 20;

/** Metrics and spans for every call and its stages, and a line in the process's log for what must not happen. */
export function openObserver(
  metrics: Metrics,
  log: ProcessLog,
  {
    now = Date.now,
    clock = () => performance.now(),
  }: { readonly now?: () => number; readonly clock?: () => number } = {},
): Observer {
  const lines = new Map<string, { minute: number; count: number }>();
  return {
    begin: openCallSpans({ clock }),
    stage: metrics.stage,
    decided: metrics.decided,
    failed(where, thrown) {
      metrics.failed(where);
      const minute = Math.floor(now() / 60_000);
      const seen = lines.get(where);
      const count = seen?.minute === minute ? seen.count + 1 : 1;
      lines.set(where, { minute, count });
      if (count <= MOST_LINES) log.failed(where, thrown);
      if (count === MOST_LINES) log.warn('further failures of this minute are only counted', { where });
    },
  };
}
