import {
  type Context,
  type Span,
  type SpanContext,
  type SpanOptions,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { afterEach, describe, expect, it } from 'vitest';
import { modelFixture, questionFixture, stagesFixture } from '../pipeline.fixture.ts';
import { openPipeline } from '../pipeline.ts';
import type { RunOptions } from '../served-model.ts';
import { openMetrics } from './metrics.ts';
import { openObserver } from './observer.ts';
import { openProcessLog } from './process-log.ts';

interface Recorded {
  readonly name: string;
  readonly context: SpanContext;
  readonly parent: string | undefined;
  readonly options: SpanOptions;
  readonly attributes: Record<string, unknown>;
  status: number | undefined;
  end: number | undefined;
}

/** What an SDK does, as far as the gateway sees it. */
function testProvider(isRecording = true) {
  const spans: Recorded[] = [];
  const startSpan = (name: string, options: SpanOptions = {}, within?: Context): Span => {
    const parent = within && trace.getSpanContext(within);
    const number = (spans.length + 1).toString(16);
    const recorded: Recorded = {
      name,
      context: {
        traceId: parent?.traceId ?? number.padStart(32, '0'),
        spanId: number.padStart(16, '0'),
        traceFlags: isRecording ? 1 : 0,
      },
      parent: parent?.spanId,
      options,
      attributes: {},
      status: undefined,
      end: undefined,
    };
    spans.push(recorded);
    return {
      spanContext: () => recorded.context,
      isRecording: () => isRecording,
      setAttributes: (given: object) => Object.assign(recorded.attributes, given),
      setStatus: ({ code }: { code: number }) => {
        recorded.status = code;
      },
      end: (at: number) => {
        recorded.end = at;
      },
    } as unknown as Span;
  };
  const provider = { getTracer: () => ({ startSpan }) } as unknown as TracerProvider;
  return { spans, provider };
}

/** A pipeline that is traced by what is in the process, and the options of its model's runs. */
function traced() {
  const asked: RunOptions[] = [];
  const model = modelFixture();
  const log = openProcessLog({ write: () => {} });
  const gateway = openPipeline(
    stagesFixture({
      observer: openObserver(openMetrics({ process: false }), log),
      routes: {
        find: () => ({
          ...model,
          run(inputs, options) {
            asked.push(options);
            return model.run(inputs, options);
          },
        }),
      },
      budgets: { take: () => 'full', state: async () => ({ used: 0, limit: 1, step: 'full' }) },
    }),
  );
  const ask = (from?: { readonly parent: string; readonly isTrusted: boolean }) =>
    gateway.infer(questionFixture([[1, 2, 3]], { caller: { address: '192.0.2.7', trace: from } }));
  return { ask, asked, gateway };
}

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
afterEach(() => trace.disable());

describe('a call where OpenTelemetry is in the process', () => {
  it('is a span with one for each stage, and tells the model behind it what it is part of', async () => {
    const { spans, provider } = testProvider();
    trace.setGlobalTracerProvider(provider);
    const { ask, asked } = traced();
    const { decision } = await ask();
    const call = spans.find(({ name }) => name === 'glacis.decision')!;
    expect(call.attributes).toEqual({
      ...{ 'glacis.decision': decision, 'glacis.model': 'm', 'glacis.samples': 1, 'glacis.version': '1' },
      ...{ 'glacis.outcome': 'answered', 'glacis.tenant': 'acme', 'glacis.detail': 'logits' },
    });
    const stages = spans.filter(({ parent }) => parent === call.context.spanId);
    expect(stages.map(({ name }) => name)).toEqual(
      ['admit', 'limit', 'guard', 'run', 'guard', 'verify', 'shape', 'record'].map(
        (name) => `glacis.${name}`,
      ),
    );
    for (const { context, options, end } of stages) {
      expect(context.traceId).toBe(call.context.traceId);
      expect(options.startTime).toBeGreaterThanOrEqual(call.options.startTime as number);
      expect(end).toBeGreaterThanOrEqual(options.startTime as number);
      expect(end).toBeLessThanOrEqual(call.end!);
    }
    const { traceId, spanId } = call.context;
    expect(asked[0]!.by!.traceparent).toBe(`00-${traceId}-${spanId}-01`);
    // Neither who asked nor what for: spans leave the house.
    expect(JSON.stringify(spans)).not.toMatch(/ann|192\.0\.2\.7|k1/);
  });

  it('is part of what a trusted proxy says, and only linked to what a stranger says', async () => {
    const { spans, provider } = testProvider();
    trace.setGlobalTracerProvider(provider);
    const { ask } = traced();
    await ask({ parent: PARENT, isTrusted: true });
    await ask({ parent: PARENT, isTrusted: false });
    const [inside, outside] = spans.filter(({ name }) => name === 'glacis.decision');
    expect(inside).toMatchObject({ parent: 'b7ad6b7169203331', options: { kind: 1 } });
    expect(inside!.context.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(outside!.parent).toBeUndefined();
    expect(outside!.options.links).toMatchObject([
      { context: { spanId: 'b7ad6b7169203331', traceFlags: 1 } },
    ]);
  });

  it.each([
    ['', 'nothing'],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'no version'],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', 'no trace'],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', 'no span'],
    ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', 'capitals'],
    [`${PARENT}, ${PARENT}`, 'two of them'],
    ['x'.repeat(10_000), 'anything'],
  ])('is on its own where the header is %j: %s', async (parent) => {
    const { spans, provider } = testProvider();
    trace.setGlobalTracerProvider(provider);
    await traced().ask({ parent, isTrusted: true });
    const call = spans.find(({ name }) => name === 'glacis.decision')!;
    expect([call.parent, call.options.links]).toEqual([undefined, undefined]);
  });

  it('is marked where it failed through our doing', async () => {
    const { spans, provider } = testProvider();
    trace.setGlobalTracerProvider(provider);
    const { gateway } = traced();
    await gateway.malformed({ address: '::1' }, { refusal: 'failed', because: 'x', arrived: 0 });
    await gateway.malformed({ address: '::1' }, { refusal: 'malformed', because: 'x', arrived: 0 });
    const calls = spans.filter(({ name }) => name === 'glacis.decision');
    expect(calls.map(({ status, attributes }) => [status, attributes['glacis.outcome']])).toEqual([
      [2, 'failed'],
      [undefined, 'malformed'],
    ]);
  });
});

describe('a call', () => {
  it('has no spans of stages where the SDK leaves it out, and none at all without an SDK', async () => {
    const { spans, provider } = testProvider(false);
    trace.setGlobalTracerProvider(provider);
    const { ask, asked } = traced();
    await ask();
    expect(spans.map(({ name }) => name)).toEqual(['glacis.start', 'glacis.decision']);
    expect(asked[0]!.by!.traceparent).toBeUndefined();
    trace.disable();
    expect((await traced().ask()).kind).toBe('answer');
    expect(spans).toHaveLength(2);
  });
});
