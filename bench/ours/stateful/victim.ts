import { featureLayer } from '../../../src/attack/feature-layer.ts';
import { readModel } from '../../../src/onnx/read.ts';
import { elementCount } from '../../../src/onnx/tensor.ts';
import { f32 } from '../../../src/runtime/array.ts';
import type { Engine } from '../../../src/runtime/engine.ts';
import { openTarget, type WhiteBoxTarget } from '../../../src/runtime/target.ts';

/** A protected model as its gateway sees it: scores and the last layer's features. */
export interface Victim {
  readonly target: WhiteBoxTarget;
  readonly size: number;
  readonly classes: number;
  readonly features: number;
  /** Logits `[n, classes]` and features `[n, features]` of `n` samples. */
  look(x: Float32Array, n: number): Promise<Looked>;
  close(): Promise<void>;
}

/** What the model said. */
export interface Looked {
  readonly scores: Float32Array;
  readonly features: Float32Array;
}

/** Sizes of runs: attacks ask about one sample, or some. */
const BATCHES = [1, 32, 256] as const;
const BATCH = 256;

/** Opens the model at `path`. */
export async function openVictim(engine: Engine, path: string): Promise<Victim> {
  const target = openTarget(engine, await readModel(path));
  const size = elementCount(target.sampleDims);
  const run = async (x: Float32Array, rows: number) => {
    const session = await target.compile('scores and features', rows, (graph) => ({
      logits: graph.logits,
      features: featureLayer(graph, ''),
    }));
    return session.run({ [target.input]: f32(x, [rows, ...target.sampleDims]) }, { transfer: false });
  };
  const probe = await run(new Float32Array(BATCH * size), BATCH);
  const features = probe.features!.data.length / BATCH;
  const { classes } = target;
  return {
    target,
    size,
    classes,
    features,
    async look(x, n) {
      const scores = new Float32Array(n * classes);
      const rows = new Float32Array(n * features);
      for (let at = 0; at < n; at += BATCH) {
        const count = Math.min(BATCH, n - at);
        const fitting = BATCHES.find((each) => each >= count)!;
        const padded = new Float32Array(fitting * size);
        padded.set(x.subarray(at * size, (at + count) * size));
        const out = await run(padded, fitting);
        scores.set((out.logits!.data as Float32Array).subarray(0, count * classes), at * classes);
        rows.set((out.features!.data as Float32Array).subarray(0, count * features), at * features);
      }
      return { scores, features: rows };
    },
    close: () => target.close(),
  };
}
