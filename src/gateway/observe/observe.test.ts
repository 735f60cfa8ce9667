import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import type { Decision } from '../decision.ts';
import { openMetrics } from './metrics.ts';
import { openObserver } from './observer.ts';
import { openProcessLog } from './process-log.ts';

const decision = (over: Partial<Decision> = {}): Decision => ({
  kind: 'decision',
  id: 'a'.repeat(32),
  at: 1_700_000_000_000,
  principal: 'ann',
  tenant: 'acme',
  credential: 'k1',
  address: '192.0.2.7',
  model: 'm',
  version: '1',
  digest: 'sha256:00',
  n: 3,
  outcome: 'answered',
  detail: 'scores',
  guards: [{ guard: 'range', action: 'flag', score: 1 }],
  bucket: 5,
  ...over,
});

describe('metrics', () => {
  it('count decisions, samples and verdicts, and time stages', async () => {
    const metrics = openMetrics({ process: false });
    metrics.decided(decision());
    metrics.decided(decision({ outcome: 'throttled', detail: undefined }));
    metrics.stage('run', 3);
    metrics.shadow('m', { n: 4, agreed: 3, failed: false });
    metrics.shadow('m', { n: 2, agreed: undefined, failed: true });
    metrics.overrun();
    metrics.watch('glacis_queue', 'Waiting requests.', ['model'], () => [
      { labels: { model: 'm' }, value: 4 },
    ]);
    const { text, type } = await metrics.page();
    expect(type).toContain('text/plain');
    for (const line of [
      'glacis_decisions_total{model="m",outcome="answered",detail="scores"} 1',
      'glacis_decisions_total{model="m",outcome="throttled",detail=""} 1',
      'glacis_samples_total{model="m"} 3',
      'glacis_guard_verdicts_total{model="m",guard="range",action="flag"} 2',
      'glacis_stage_seconds_bucket{le="0.0025",stage="run"} 0',
      'glacis_stage_seconds_bucket{le="0.005",stage="run"} 1',
      'glacis_shadow_samples_total{model="m",said="same"} 3',
      'glacis_shadow_samples_total{model="m",said="different"} 1',
      'glacis_shadow_samples_total{model="m",said="nothing"} 2',
      'glacis_overruns_total 1',
      'glacis_queue{model="m"} 4',
    ])
      expect(text).toContain(`${line}\n`);
  });

  it('make no series of what callers invent', async () => {
    const metrics = openMetrics({ process: false });
    for (let i = 0; i < 1000; i++)
      metrics.decided(decision({ model: `m${i}`, digest: undefined, outcome: 'unknown' }));
    for (let i = 0; i < 1000; i++) metrics.decided(decision({ model: `n${i}` }));
    const { text } = await metrics.page();
    expect(text.split('\n').filter((line) => line.startsWith('glacis_samples_total')).length).toBe(201);
    expect(text).not.toContain('model="m1"');
    expect(text).not.toContain('acme');
  });
});

describe('the log of the process', () => {
  const opened = () => {
    const lines: string[] = [];
    return { lines, log: openProcessLog({ write: (line) => lines.push(line) }) };
  };

  it('is JSON lines, one each, whatever stands in a message', () => {
    const { lines, log } = opened();
    log.info('a\nb', { name: 'x\u001b[31m' });
    expect(lines).toHaveLength(1);
    for (const control of ['\n', '\u001b']) expect(lines[0]!.trimEnd()).not.toContain(control);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', msg: 'a\nb' });
  });

  it('leaves out fields that hold secrets', () => {
    const { lines, log } = opened();
    log.warn('call', {
      caller: { authorization: 'Bearer hush', address: '::1' },
      key: 'hush',
      deep: { request: { inputs: 'hush' } },
    });
    expect(lines[0]).not.toContain('hush');
    expect(lines[0]).toContain('::1');
  });

  it('says what failed without the cause', () => {
    const { lines, log } = opened();
    log.failed('log', new GlacisError('output/unwritable', 'disk full', { cause: new Error('hush') }));
    expect(JSON.parse(lines[0]!)).toMatchObject({
      where: 'log',
      code: 'output/unwritable',
      message: 'disk full',
    });
    expect(lines[0]).not.toContain('hush');
  });
});

describe('an observer', () => {
  it('counts all failures of a place and writes the first of each minute', async () => {
    const lines: string[] = [];
    const metrics = openMetrics({ process: false });
    let now = 0;
    const observer = openObserver(metrics, openProcessLog({ write: (line) => lines.push(line) }), {
      now: () => now,
    });
    for (let i = 0; i < 100; i++) observer.failed('log', new Error('disk full'));
    expect(lines).toHaveLength(21);
    now = 61_000;
    observer.failed('log', new Error('disk full'));
    expect(lines).toHaveLength(22);
    expect((await metrics.page()).text).toContain('glacis_failures_total{where="log"} 101');
  });
});
