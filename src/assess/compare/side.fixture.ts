import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writePerSample } from '../per-sample.ts';
import { cellRecord, cleanRecord } from '../record.ts';
import { sampleAssessment, sampleResult } from '../result.fixture.ts';
import type { Assessment, EvasionResult } from '../result.ts';
import { toJson } from '../result-json.ts';

/** One attack at one eps, as a test describes it. */
export interface MadeRun {
  readonly attack: string;
  readonly eps: number;
  /** Samples whose right answer it changed, at half of eps. */
  readonly fell: readonly number[];
  /** Samples from the first on that were decided; all without. */
  readonly decided?: number;
  readonly options?: EvasionResult['options'];
  readonly more?: Partial<EvasionResult>;
  /** Distance of each sample's example; half of eps without. */
  readonly distance?: (sample: number) => number;
}

/** An assessment on disk, as a test describes it. */
export interface MadeSide {
  /** Samples; their labels are 0, 1, 0, 1, … */
  readonly n: number;
  /** Samples that are wrong without an attack. */
  readonly wrong?: readonly number[];
  readonly runs: readonly MadeRun[];
  /** Number of each sample in the data; 0, 1, 2, … without. */
  readonly indices?: Int32Array;
  readonly labels?: Int32Array;
  readonly more?: Partial<Assessment>;
}

/** Writes an assessment to `file` with its per-sample files beside it; its figures are those of the samples. */
export async function writeSide(file: string, { n, wrong = [], runs, ...side }: MadeSide): Promise<string> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const clean = cleanRecord('classification', n, 2);
  clean.correct.fill(1);
  for (const i of wrong) clean.correct[i] = 0;
  const samples = {
    indices: side.indices ?? Int32Array.from({ length: n }, (_, i) => i),
    labels: side.labels ?? Int32Array.from({ length: n }, (_, i) => i % 2),
  };
  const results: EvasionResult[] = [];
  for (const [k, { attack, eps, fell, decided = n, options, more, distance }] of runs.entries()) {
    const record = cellRecord('classification', n, 2);
    record.decided.fill(1, 0, decided);
    for (const i of fell) record.success[i] = 1;
    record.distance.set(Array.from({ length: n }, (_, i) => distance?.(i) ?? eps / 2));
    const name = `${k}-${attack}.npz`;
    await writePerSample(folder, name, samples, clean, record);
    const right = clean.correct.subarray(0, decided).reduce((sum, one) => sum + one, 0);
    const lost = fell.filter((i) => i < decided && clean.correct[i]).length;
    results.push(
      sampleResult(attack, eps, [right - lost, right, decided], {
        perSample: name,
        confusion: { classes: 2, cells: [[0, 0, decided]] },
        ...(options && { options }),
        ...more,
      }),
    );
  }
  const base = sampleAssessment({ results, worstCases: [], findings: [] });
  await writeFile(file, toJson({ ...base, data: { ...base.data, n }, ...side.more }));
  return file;
}

/** Samples from `from` up to, not including, `to`. */
export function span(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
