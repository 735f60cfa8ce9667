import { elementCount } from '../../../onnx/tensor.ts';
import type { Sighting } from '../../sighting.ts';
import { planSketch, type SketchPlan } from '../../sketch/sketch-plan.ts';

/** Samples of a call that are looked at. */
export const MOST_SAMPLES = 64;

/** What monitors get of a call's input. */
export interface InputSamples {
  readonly sketch: Sighting['sketch'];
  /** Samples in the call; undefined where nothing says it. */
  readonly n: number | undefined;
}

/** The sizes of one sample: those behind the batch, and one element where there are none. */
export function sampleDimsOf([, ...dims]: readonly number[]): readonly number[] {
  return dims.length === 0 ? [1] : dims;
}

/** Makes sketches. */
export interface SampleSketcher {
  /**
   * Rows of the first {@link MOST_SAMPLES} of `n` samples of `dims`, row-major in `data`, which need not hold more samples than these. Undefined where there are none or too few numbers. `datatype` is the protocol's name.
   */
  sketch(
    data: ArrayLike<number>,
    n: number,
    dims: readonly number[],
    datatype: string | undefined,
  ): Sighting['sketch'];
}

/** Opens one, which keeps the plan for the next call with samples of the same sizes. */
export function openSampleSketcher(): SampleSketcher {
  let planned = '';
  let plan: SketchPlan | undefined;
  return {
    sketch(data, n, dims, datatype) {
      const rows = Math.min(n, MOST_SAMPLES);
      // Attacker-controlled: a product of sizes that is beyond all numbers is no number of elements here.
      if (rows < 1 || dims.some((dim) => dim < 1) || !(elementCount(dims) * rows <= data.length))
        return undefined;
      const key = `${datatype} ${dims.join()}`;
      if (plan === undefined || key !== planned) plan = planSketch({ sampleDims: dims, datatype });
      planned = key;
      const width = plan.features.length;
      const values = new Float32Array(rows * width);
      for (let i = 0; i < rows; i++) plan.read(data, i * plan.size, values, i * width);
      return { values, rows, width, samples: Array.from({ length: rows }, (_, i) => i) };
    },
  };
}
