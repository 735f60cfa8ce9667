import { type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Decision } from '../decision.ts';
import type { Observer } from '../stages.ts';
import type { Metrics } from './metrics.ts';
import type { ProcessLog } from './process-log.ts';

/** Failures of one place that are written out in a minute; the rest is counted: a broken disk must not fill another. */
const MOST_LINES = 20;

/**
 * Metrics for every stage, a span for every decision where an OpenTelemetry SDK is in the process (without one it costs nothing), and a line in the process's log
 * for what must not happen.
 */
export function openObserver(
  metrics: Metrics,
  log: ProcessLog,
  { now = Date.now }: { readonly now?: () => number } = {},
): Observer {
  const tracer = trace.getTracer('glacis');
  const lines = new Map<string, { minute: number; count: number }>();
  return {
    stage: metrics.stage,
    decided(decision) {
      metrics.decided(decision);
      const span = tracer.startSpan('glacis.decision', { startTime: decision.at });
      if (span.isRecording()) describe(span, decision);
      span.end(now());
    },
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

/** No payload, no credential: what is in a span leaves the house. */
function describe(
  span: Span,
  { model, version, outcome, n, id, tenant, detail, divergence }: Decision,
): void {
  span.setAttributes({
    'glacis.decision': id,
    'glacis.model': model,
    'glacis.samples': n,
    'glacis.outcome': outcome,
    ...(version !== undefined && { 'glacis.version': version }),
    ...(tenant !== undefined && { 'glacis.tenant': tenant }),
    ...(detail !== undefined && { 'glacis.detail': detail }),
    ...(divergence !== undefined && { 'glacis.divergence': divergence }),
  });
  if (outcome === 'failed' || outcome === 'unavailable') span.setStatus({ code: SpanStatusCode.ERROR });
}
