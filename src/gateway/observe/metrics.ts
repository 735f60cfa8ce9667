import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Decision } from '../decision.ts';
import { STAGES, type Stage } from '../stages.ts';
import { fixedHistogram, laterCounts } from './counts.ts';

/** Seconds: from what a stage costs when nothing waits to what no caller waits for. */
const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Most models that get a series of their own: names come from requests, and a series is memory. */
const MOST_MODELS = 200;

/** What Prometheus reads. */
export interface Metrics {
  stage(name: Stage, milliseconds: number): void;
  decided(decision: Decision): void;
  failed(where: string): void;
  /** A shadow's answer beside the one that was given: samples for which both named the same class, of so many; `failed` where it had none. */
  shadow(
    model: string,
    about: { readonly n: number; readonly agreed: number | undefined; readonly failed: boolean },
  ): void;
  /** An answer that left later than it was due. */
  overrun(): void;
  /** Numbers that are asked for when the page is read: a queue's length, a budget's rest. */
  watch(name: string, help: string, labels: readonly string[], read: () => readonly Reading[]): void;
  /** The page, and its content type. */
  page(): Promise<{ readonly text: string; readonly type: string }>;
}

/** One number with its labels. */
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Metrics of a server. Labels are bounded: models are those that answered, guards and outcomes are fixed lists, and callers never are labels (their budgets are
 * in the management API).
 */
export function openMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process ?? true) collectDefaultMetrics({ register: registry, prefix: 'glacis_' });
  const registers = [registry];
  const stages = fixedHistogram(registry, {
    name: 'glacis_stage_seconds',
    help: 'How long each stage of a call took.',
    ...{ label: 'stage', of: STAGES, bounds: BOUNDS },
  });
  const decisions = laterCounts(registry, {
    name: 'glacis_decisions_total',
    help: 'Calls by model and outcome; calls that reached no model have an empty one.',
    labels: ['model', 'outcome', 'detail'],
  });
  const samples = laterCounts(registry, {
    name: 'glacis_samples_total',
    help: 'Samples that were answered, by model.',
    labels: ['model'],
  });
  const verdicts = laterCounts(registry, {
    name: 'glacis_guard_verdicts_total',
    help: 'What guards said.',
    labels: ['model', 'guard', 'action'],
  });
  const failures = new Counter({
    name: 'glacis_failures_total',
    help: 'Things that must not happen, by place. Each is in the log of the process.',
    labelNames: ['where'],
    registers,
  });
  const overruns = new Counter({
    name: 'glacis_overruns_total',
    help: 'Answers that were not ready when they were due.',
    registers,
  });
  const shadows = new Counter({
    name: 'glacis_shadow_samples_total',
    help: 'Samples that a shadow was asked about, by whether it named the same class.',
    labelNames: ['model', 'said'],
    registers,
  });
  const known = new Set<string>();
  const modelLabel = ({ model, digest }: Decision): string => {
    if (digest === undefined) return '';
    if (known.size < MOST_MODELS) known.add(model);
    return known.has(model) ? model : 'others';
  };
  return {
    stage: (name, milliseconds) => stages.observe(name, milliseconds / 1000),
    decided(decision) {
      const model = modelLabel(decision);
      decisions.add([model, decision.outcome, decision.detail ?? ''], 1);
      if (decision.outcome === 'answered') samples.add([model], decision.n);
      for (const { guard, action } of decision.guards) verdicts.add([model, guard, action], 1);
    },
    failed: (where) => failures.inc({ where }),
    shadow(model, { n, agreed, failed }) {
      if (failed) shadows.inc({ model, said: 'nothing' }, n);
      else if (agreed === undefined) shadows.inc({ model, said: 'other' }, n);
      else {
        shadows.inc({ model, said: 'same' }, agreed);
        shadows.inc({ model, said: 'different' }, n - agreed);
      }
    },
    overrun: () => overruns.inc(),
    watch(name, help, labels, read) {
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect() {
          this.reset();
          for (const { labels: given, value } of read()) this.set({ ...given }, value);
        },
      });
    },
    page: async () => ({ text: await registry.metrics(), type: registry.contentType }),
  };
}
