/** Measures a model, hardens it within a time, and measures it again. */
export { FILES, type Hardened, harden } from './harden.ts';
export {
  GOALS,
  type HardeningGoal,
  type HardenOptions,
  type PrivateHardening,
  USUAL_EPSILON,
} from './options.ts';
export { type HardeningFacts, type HardeningPlan, planHardening } from './plan.ts';
export { type PrivateFacts, type PrivateHardeningPlan, planPrivateHardening } from './private-plan.ts';
export { bothWords, costWords, privacyWords } from './private-words.ts';
export { type Changes, changesIn, outcomeWords } from './words.ts';
