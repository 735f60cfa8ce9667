import type { Case } from '../../../incident/case.ts';
import type { Order } from '../../../incident/order.ts';
import type { ClientTotals } from '../../observe/rollups/client-queries.ts';
import type { DecisionRow } from './decisions.ts';

/** Sums over a span of time. */
export interface Totals {
  readonly requests: number;
  readonly samples: number;
  readonly answered: number;
  readonly refused: number;
  readonly clients: number;
  readonly flagged: number;
}

/** `GET /api/traffic?model=&from=&to=`: at most 300 steps. */
export interface Traffic {
  readonly step: number;
  readonly points: readonly {
    readonly at: number;
    readonly answered: number;
    /** By the name of the refusal. */
    readonly refused: Readonly<Record<string, number>>;
    readonly samples: number;
    /** Milliseconds. */
    readonly p50: number | undefined;
    readonly p99: number | undefined;
  }[];
  /** Mean milliseconds of each stage in the span. */
  readonly stages: readonly { readonly stage: string; readonly mean: number; readonly p99: number }[];
  readonly guards: readonly {
    readonly guard: string;
    readonly model: string;
    readonly pass: number;
    readonly flag: number;
    readonly degrade: number;
    readonly refuse: number;
  }[];
}

/** A row of `GET /api/clients?model=&find=&sort=requests|refused|budget|flagged&before=&most=` */
export interface ClientRow extends ClientTotals {
  /** The budget that runs out first: share used, and when it is empty at the speed of the last day; undefined where it will not be. */
  readonly budget?: {
    readonly used: number;
    readonly limit: number;
    readonly step: string;
    readonly emptyAt?: number;
  };
  readonly orders: readonly Order[];
}

/** `GET /api/clients/:id`: the row, its days and its last decisions. */
export interface ClientDetail extends ClientRow {
  readonly days: readonly (readonly [at: number, samples: number, refused: number])[];
  readonly decisions: readonly DecisionRow[];
  readonly cases: readonly Case[];
}
