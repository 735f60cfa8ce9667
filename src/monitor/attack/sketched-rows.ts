import type { Sighting } from '../sighting.ts';

/** One sample of a call that was sketched, with what the model said of it. */
export interface SketchedRow {
  readonly sighting: Sighting;
  readonly values: Float32Array;
  /** Where its features begin in `values`. */
  readonly at: number;
  readonly width: number;
  /** The likeliest class; −1 where it is not known (refused, no classifier). */
  readonly label: number;
  readonly score: number;
}

/** The sketched samples of a call, if they are `width` features wide. */
export function rowsOf(sighting: Sighting, width: number): readonly SketchedRow[] {
  const { sketch, top } = sighting;
  if (sketch === undefined || sketch.width !== width) return [];
  const rows: SketchedRow[] = [];
  for (let i = 0; i < sketch.rows; i++) {
    const said = top?.[sketch.samples[i] ?? i];
    const [label, score] = said ?? UNKNOWN;
    rows.push({ sighting, values: sketch.values, at: i * width, width, label, score });
  }
  return rows;
}

const UNKNOWN: readonly [number, number] = [-1, Number.NaN];

/** Whose doing a call is: the principal, or the address of one who is not known. */
export function whoOf({ principal, address }: Sighting): string {
  return principal ?? address;
}
