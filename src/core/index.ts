/** What every other part of Glacis speaks: errors with closed codes, keyed random numbers, progress. */
export { asGlacisError, ERROR_CODES, type ErrorCode, GlacisError } from './error.ts';
export { type Progress, type ProgressUpdate, silent } from './progress.ts';
export { type Rng, randomFrom } from './random.ts';
