import { readFileSync } from 'node:fs';
import type { PrivateRun } from './private-run.ts';

/** Figures of other accountants, made by vectors/generate.py. */
interface Vectors {
  readonly epsilons: readonly {
    readonly name: string;
    readonly runs: readonly PrivateRun[];
    readonly delta: number;
    readonly dpAccounting: { readonly rdp: number; readonly pld: number };
    readonly opacus: { readonly rdp: number; readonly prv?: number };
  }[];
  readonly divergences: readonly {
    readonly rate: number;
    readonly noise: number;
    readonly order: number;
    readonly rdp: number;
  }[];
}

export const VECTORS = JSON.parse(
  readFileSync(new URL('./vectors/accounting.json', import.meta.url), 'utf8'),
) as Vectors;
