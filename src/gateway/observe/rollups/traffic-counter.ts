import type { Decision } from '../../decision.ts';
import { ACTIONS } from '../../guard.ts';
import type { Stage } from '../../stages.ts';
import { seeHash, textHash } from './distinct.ts';
import { countLatency, quantile } from './histogram.ts';
import { addSums, isFlagged, newSums, packSums, type Sums, stageOf, verdictsOf } from './sums.ts';

/** Spans of time that sums are kept for, in milliseconds: a minute, ten, an hour, a day. */
export const SPANS = [60_000, 600_000, 3_600_000, 86_400_000] as const;
/** Under this name are the sums of all models, and of calls that reached none. */
export const ALL = '';
/** Models that are told apart: names come from requests. */
const MOST_MODELS = 200;
const OTHERS = 'others';
/** Rows that may wait for a store that is gone; the finest go first, because the coarser ones hold their sums. */
const MOST_WAITING = 20_000;

/** A row of the table `traffic`, without the gateway's name. */
export interface TrafficTotals {
  readonly span: number;
  readonly model: string;
  readonly at: number;
  readonly answered: number;
  readonly refused: number;
  readonly samples: number;
  readonly flagged: number;
  readonly more: string;
}

/** The last second. */
export interface Second {
  readonly at: number;
  readonly answered: number;
  readonly refused: number;
  readonly flagged: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly models: Readonly<Record<string, number>>;
}

/** Counts traffic. Everything but `rows` costs about a microsecond. */
export interface TrafficCounter {
  stage(name: Stage, milliseconds: number): void;
  decided(decision: Decision, milliseconds: number): void;
  /** Closes the second that is over. */
  second(): Second;
  /** Rows that have changed since they were written: each with all that this process has counted for it. */
  rows(): TrafficTotals[];
  /** These are in the store. */
  written(rows: readonly TrafficTotals[]): void;
}

interface Level {
  readonly span: number;
  /** By model: the beginning of the span, and its sums. */
  readonly open: Map<string, { at: number; sums: Sums; dirty: boolean }>;
}

/**
 * Counts for this process. What comes is added to sums of the present few seconds, and those once in a while to the spans that they lie in, so that a call pays for one
 * addition and not for four. A row holds everything that the process has counted for its span, and replaces the one before: writing it twice changes nothing.
 */
export function trafficCounter(now: () => number, seed: number): TrafficCounter {
  const levels: readonly Level[] = SPANS.map((span) => ({ span, open: new Map() }));
  const known = new Set<string>();
  /** Since `since`, by model. */
  let fresh = new Map<string, Sums>([[ALL, newSums()]]);
  let all = fresh.get(ALL)!;
  let since = now();
  let ends = endOf(since);
  const waiting = new Map<string, TrafficTotals>();
  let second = newSums();
  let perModel = new Map<string, number>();
  let secondAt = since;

  const modelOf = ({ model, digest }: Decision): string | undefined => {
    if (digest === undefined) return undefined;
    if (known.size < MOST_MODELS) known.add(model);
    return known.has(model) ? model : OTHERS;
  };
  const sumsOf = (model: string): Sums => {
    let sums = fresh.get(model);
    if (sums === undefined) {
      sums = newSums();
      fresh.set(model, sums);
    }
    return sums;
  };
  const close = ({ span }: Level, model: string, at: number, sums: Sums): void => {
    const { answered, refused, samples, flagged } = sums;
    const row = { span, model, at, answered, refused, samples, flagged, more: packSums(sums) };
    waiting.set(`${span} ${at} ${model}`, row);
  };
  /** Adds what came since to the spans that it lies in. */
  const settle = (time: number): void => {
    for (const [model, sums] of fresh) {
      if (sums.answered + sums.refused === 0 && Object.keys(sums.stages).length === 0) continue;
      for (const level of levels) {
        const at = since - (since % level.span);
        let open = level.open.get(model);
        if (open !== undefined && open.at !== at) {
          if (open.dirty) close(level, model, open.at, open.sums);
          open = undefined;
        }
        if (open === undefined) {
          open = { at, sums: newSums(), dirty: true };
          level.open.set(model, open);
        }
        addSums(open.sums, sums);
        open.dirty = true;
      }
    }
    fresh = new Map([[ALL, newSums()]]);
    all = fresh.get(ALL)!;
    since = time;
    ends = endOf(time);
  };

  const count = (sums: Sums, decision: Decision, flagged: boolean, milliseconds: number): void => {
    const { outcome } = decision;
    if (outcome === 'answered') {
      sums.answered++;
      sums.samples += decision.n;
    } else {
      sums.refused++;
      sums.refusals.set(outcome, (sums.refusals.get(outcome) ?? 0) + 1);
    }
    if (flagged) sums.flagged++;
    countLatency(sums.latencies, milliseconds);
  };

  return {
    stage(name, milliseconds) {
      const stage = stageOf(all, name);
      stage.sum += milliseconds;
      countLatency(stage.latencies, milliseconds);
    },
    decided(decision, milliseconds) {
      const time = now();
      // Also where the clock was set back.
      if (time >= ends || time < since) settle(time);
      const flagged = isFlagged(decision);
      const model = modelOf(decision);
      count(all, decision, flagged, milliseconds);
      count(second, decision, flagged, milliseconds);
      if (decision.principal !== undefined) seeHash(all.clients, textHash(decision.principal, seed));
      if (model === undefined) return;
      perModel.set(model, (perModel.get(model) ?? 0) + 1);
      const own = sumsOf(model);
      count(own, decision, flagged, milliseconds);
      if (decision.principal !== undefined) seeHash(own.clients, textHash(decision.principal, seed));
      for (const { guard, action } of decision.guards) {
        const place = ACTIONS.indexOf(action);
        verdictsOf(all, model, guard)[place]!++;
        verdictsOf(own, model, guard)[place]!++;
      }
    },
    second() {
      const { answered, refused, flagged, latencies } = second;
      const given = {
        at: secondAt,
        answered,
        refused,
        flagged,
        p50: quantile(latencies, 0.5),
        p99: quantile(latencies, 0.99),
        models: Object.fromEntries(perModel),
      };
      second = newSums();
      perModel = new Map();
      secondAt = now();
      return given;
    },
    rows() {
      settle(now());
      for (const level of levels)
        for (const [model, open] of level.open) {
          if (!open.dirty) continue;
          close(level, model, open.at, open.sums);
          open.dirty = false;
        }
      if (waiting.size > MOST_WAITING) {
        const finest = [...waiting].sort(([, a], [, b]) => a.span - b.span || a.at - b.at);
        for (const [key] of finest.slice(0, waiting.size - MOST_WAITING)) waiting.delete(key);
      }
      return [...waiting.values()];
    },
    written(rows) {
      for (const row of rows) {
        const key = `${row.span} ${row.at} ${row.model}`;
        if (waiting.get(key) === row) waiting.delete(key);
      }
    },
  };
}

function endOf(time: number): number {
  return time - (time % SPANS[0]) + SPANS[0];
}
