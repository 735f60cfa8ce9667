import { confidenceDrift } from './confidence-drift.ts';
import type { DriftKind } from './drift-kind.ts';
import { inputDrift } from './input-drift.ts';
import { predictionDrift } from './prediction-drift.ts';

/** Kinds that notice that the world, the inputs or the model changed, A to Z. */
// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
export const DRIFT_MONITORS: readonly DriftKind<any>[] = [confidenceDrift, inputDrift, predictionDrift];
