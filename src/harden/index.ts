/** Measures a model, hardens it within a time, and measures it again. */
export { FILES, type Hardened, type HardenOptions, harden } from './harden.ts';
export { type HardeningFacts, type HardeningPlan, planHardening } from './plan.ts';
export { outcomeWords } from './words.ts';
