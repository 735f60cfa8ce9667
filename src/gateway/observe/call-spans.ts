import {
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Caller } from '../call.ts';
import type { Decision } from '../decision.ts';
import type { CallSpan } from '../stages.ts';

/** Begins the span of a call that came at this time, in milliseconds since 1970; undefined where nobody records it. */
export type BeginSpan = (at: number, from: Caller['trace']) => CallSpan | undefined;

/**
 * Spans of calls with one for each of their stages, where an OpenTelemetry SDK is in the process when the gateway is opened; without one, or for calls that it leaves out, they cost nothing. A caller's
 * own trace is the parent where a trusted proxy vouches for it, and a link otherwise: strangers do not decide what is recorded.
 */
export function openCallSpans({ clock }: { readonly clock: () => number }): BeginSpan {
  const tracer = trace.getTracer('glacis');
  const start = tracer.startSpan('glacis.start');
  const isTraced = isSpanContextValid(start.spanContext());
  start.end();
  if (!isTraced) return () => undefined;
  return (at, from) => {
    const remote = from && remoteOf(from.parent);
    const isParent = remote !== undefined && from!.isTrusted;
    const span = tracer.startSpan(
      'glacis.decision',
      {
        startTime: at,
        kind: SpanKind.SERVER,
        ...(remote !== undefined && !isParent && { links: [{ context: remote }] }),
      },
      isParent ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT,
    );
    if (!span.isRecording()) return undefined;
    const within = trace.setSpan(ROOT_CONTEXT, span);
    const begun = clock();
    return {
      traceparent: headerOf(span.spanContext()),
      stage(name, since, until) {
        tracer.startSpan(`glacis.${name}`, { startTime: at + since - begun }, within).end(at + until - begun);
      },
      end(decision) {
        describe(span, decision);
        span.end(at + clock() - begun);
      },
    };
  };
}

/** The header `traceparent` of W3C Trace Context, which is attacker-controlled; undefined for what is none. */
function remoteOf(header: string): SpanContext | undefined {
  const [, traceId, spanId, flags] =
    /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/.exec(header) ?? [];
  if (traceId === undefined) return undefined;
  const context = { traceId, spanId: spanId!, traceFlags: Number.parseInt(flags!, 16) & 1, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

function headerOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`;
}

/** No payload, no credential, no address: what is in a span leaves the house. */
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
