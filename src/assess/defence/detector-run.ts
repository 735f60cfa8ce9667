import { type PlannedAttack, planAttack } from '../../attack/registry.ts';
import type { Spec } from '../../core/options.ts';
import { inlineFunctions } from '../../onnx/functions.ts';
import type { Model } from '../../onnx/model.ts';
import { toFloat32 } from '../../onnx/to-float32.ts';
import type { Engine } from '../../runtime/engine.ts';
import { fileOracle } from '../../runtime/file-oracle.ts';
import { openTarget } from '../../runtime/target.ts';
import { SQUEEZE_DISTANCE, squeezedMean } from '../../transform/defence/detector.ts';
import { planDefences } from '../../transform/defence/registry.ts';
import { rateOf } from '../compare/contrast.ts';
import { passing } from '../levels.ts';
import type { Loaded, LoadOptions } from '../load.ts';
import type { Subject } from '../subject.ts';
import { asDataHaveIt, openDeployed } from './deployed.ts';
import { detectorOf } from './detector-record.ts';
import type { DefenceRecord } from './record.ts';
import type { DetectorResult } from './result.ts';

/** The detector of a defended file, open, with what an attacker who knows of it attacks. */
export interface DetectorRun {
  /** 1 where a sample is let through. */
  passes(x: Float32Array, n: number, signal: AbortSignal | undefined): Promise<Uint8Array>;
  /** The mean of the answers to the sample and to all squeezed ones, judged by the defended file. */
  readonly aware: Subject;
  readonly plan: PlannedAttack;
  result(record: DefenceRecord): DetectorResult;
  close(): Promise<void>;
}

/** Opens the detector that the file has; `undefined` without one. */
export async function openDetector(
  engine: Engine,
  file: Model,
  guarded: Loaded,
  base: Spec,
  options: Pick<LoadOptions, 'mean' | 'std' | 'range' | 'input'>,
): Promise<DetectorRun | undefined> {
  const record = detectorOf(file);
  if (!record) return undefined;
  const { subject, batch, bounds } = guarded;
  const { sampleDims } = subject;
  const { mean, std } = options;
  const input = options.input ?? file.graph.inputs[0]!.name;
  const distances = await openDeployed(engine, file, {
    ...options,
    output: SQUEEZE_DISTANCE,
    sampleDims,
    batch,
  });
  const wide = toFloat32(inlineFunctions(file), { float16: true }).model;
  const outputs = wide.graph.outputs.filter((o) => o.name !== SQUEEZE_DISTANCE);
  const averaged = squeezedMean(
    { ...wide, graph: { ...wide.graph, outputs } },
    record.squeezers.flatMap((text) => [...planDefences(text)]),
    { input, output: subject.target?.found.output, sampleDims, range: bounds, mean, std },
  );
  const attacked = asDataHaveIt(averaged, { input, mean, std, sampleDims });
  const target = openTarget(engine, attacked.model, { input: attacked.input, sampleDims });
  return {
    async passes(x, n, signal) {
      const found = await distances.predict(x, n, signal);
      // What is no number is rejected.
      return Uint8Array.from(found, (d) => (d <= record.threshold ? 1 : 0));
    },
    aware: { ...subject, target, oracle: fileOracle(target, batch), queries: target.queries },
    plan: planAttack(passing(base, target.obstacles)),
    result({ passed, detected }) {
      const { squeezers, threshold, falsePositiveRate, samples } = record;
      const rows = [...detected].map(([attacker, counts]) => ({ attacker, ...counts }));
      return { squeezers, threshold, falsePositiveRate, samples, passed: rateOf(passed), rows };
    },
    async close() {
      await target.close();
      await distances.close();
    },
  };
}
