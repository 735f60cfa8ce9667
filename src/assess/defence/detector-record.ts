import type { Model } from '../../onnx/model.ts';
import { DETECTOR_KEY, type DetectorRecord, SQUEEZE_DISTANCE } from '../../transform/defence/detector.ts';
import { amount, fraction, list, name, object, one, positive } from '../json-check.ts';

/** The detector that a file says it has; `undefined` without one, or where the record cannot be read: metadata are attacker-controlled. */
export function detectorOf(model: Model): DetectorRecord | undefined {
  const text = model.metadata.get(DETECTOR_KEY);
  if (text === undefined || !model.graph.outputs.some((o) => o.name === SQUEEZE_DISTANCE)) return undefined;
  const problems: string[] = [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  record(value, '', problems);
  return problems.length === 0 ? (value as DetectorRecord) : undefined;
}

const record = object({
  output: one([SQUEEZE_DISTANCE]),
  // Each is a copy of the model when the detector is attacked.
  squeezers: list(name, 16),
  threshold: amount,
  falsePositiveRate: fraction,
  samples: positive,
});

/** The least threshold above which lie at most the share `falsePositiveRate` of the distances of clean samples. */
export function thresholdFor(distances: Float32Array, falsePositiveRate: number): number {
  const sorted = distances.toSorted((a, b) => b - a);
  return sorted[Math.min(sorted.length - 1, Math.floor(falsePositiveRate * sorted.length))] ?? 0;
}
