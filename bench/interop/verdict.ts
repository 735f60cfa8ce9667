import type { Apart, Outcome } from './one-file.ts';

/** One network exported one way, and what came of it. */
export interface Checked {
  readonly network: string;
  readonly how: string;
  readonly quantised: boolean;
  /** The exporter's message, when it did not write a file. */
  readonly refused?: string;
  /** The engine's message, when the file could not be read or differentiated. */
  readonly error?: string;
  readonly outcome?: Outcome;
}

/**
 * `exporter`: in ONNX Runtime alone, the file is refused or answers something else than PyTorch; the engine agrees with the file.
 * `refused`: the exporter wrote no file.
 */
export type Word = 'ok' | 'wrong' | 'error' | 'exporter' | 'refused';

/** Largest difference that counts as equal, over the largest element of the reference. */
export const TOLERANCE = 1e-4;
/** With 16-bit weights, of which exporters also fold some in 16 bits. */
export const TOLERANCE_16_BIT = 2e-2;
/** A quantised file's logits in float steps, where sums may round to the neighbouring step. */
export const TOLERANCE_QUANTISED = 5e-2;
/** Least cosine between a quantised model's straight-through gradient and that of the float model. */
export const LEAST_COSINE = 0.8;
/** With 16-bit weights: other roundings (folded normalisations) move a few ReLUs across their kink. */
export const LEAST_COSINE_16_BIT = 0.99;

/** What to think of a file, and the figures. */
export function verdict(checked: Checked): { readonly word: Word; readonly detail: string } {
  const { refused, error, outcome } = checked;
  if (refused !== undefined) return { word: 'refused', detail: refused };
  if (error !== undefined || !outcome) return { word: 'error', detail: error ?? 'not checked' };
  const tolerance = toleranceOf(checked);
  const foreign = !checked.quantised && (outcome.exported ?? 0) > tolerance;
  const parts: string[] = [];
  if (foreign) parts.push(`file against PyTorch ${short(outcome.exported!)}`);
  let word: Word = foreign ? 'exporter' : 'ok';
  for (const [way, got] of Object.entries(outcome.ways)) {
    if ('error' in got) {
      parts.push(`${way}: ${got.error}`);
      if (outcome.refused !== undefined) word = 'exporter';
      else if (!(way === 'lifted' && got.error.startsWith('model/dynamic-shape'))) word = 'error';
      continue;
    }
    parts.push(`${way}: ${figures(got, checked.quantised)}`);
    if (!fits(got, checked, foreign) && word !== 'error') word = 'wrong';
  }
  return { word, detail: parts.join('; ') };
}

/** What counts as equal for this file. */
export function toleranceOf({ how, quantised }: Pick<Checked, 'how' | 'quantised'>): number {
  if (quantised) return TOLERANCE_QUANTISED;
  return how.includes('float16') ? TOLERANCE_16_BIT : TOLERANCE;
}

function fits(got: Apart, checked: Checked, foreign: boolean): boolean {
  const tolerance = toleranceOf(checked);
  if (!(got.logits <= tolerance)) return false;
  if (checked.quantised) return got.cosine >= LEAST_COSINE;
  if (checked.how.includes('float16')) return got.cosine >= LEAST_COSINE_16_BIT;
  return foreign || (got.gradient <= tolerance && got.weights.every((w) => w <= tolerance));
}

function figures({ logits, gradient, weights, cosine }: Apart, quantised: boolean): string {
  if (quantised) return `logits ${short(logits)}, cosine ${cosine.toFixed(3)}`;
  const all = weights.length === 0 ? '' : `, ${weights.length} weights ${short(Math.max(...weights))}`;
  return `logits ${short(logits)}, input ${short(gradient)}${all}`;
}

const short = (value: number) => (value === 0 ? '0' : value.toExponential(0));
