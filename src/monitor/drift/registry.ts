import { slowBleeding } from '../bleeding/slow-bleeding.ts';
import { accuracy } from './accuracy.ts';
import { calibrationDrift } from './calibration-drift.ts';
import { confidenceDrift } from './confidence-drift.ts';
import type { DriftKind } from './drift-kind.ts';
import { estimatedPerformance } from './estimated-performance.ts';
import { feed } from './feed.ts';
import { inputDrift } from './input-drift.ts';
import { jointDrift, jointDriftOnline } from './joint-drift.ts';
import { predictionDrift } from './prediction-drift.ts';

/** Kinds that notice that the world, the inputs or the model changed, A to Z. */
// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
export const DRIFT_MONITORS: readonly DriftKind<any>[] = [
  accuracy,
  calibrationDrift,
  confidenceDrift,
  estimatedPerformance,
  feed,
  inputDrift,
  jointDrift,
  jointDriftOnline,
  predictionDrift,
  slowBleeding,
];
