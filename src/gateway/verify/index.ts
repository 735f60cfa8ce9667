/** A second model that checks decisions, and the queue of those that a person must look at. */
export { type Measure, type VerifyConfig, verifySchema } from './config-schema.ts';
export { divergences } from './divergence.ts';
export type { Review, ReviewQueue, ReviewState, Reviews, ReviewVote } from './reviews.ts';
export { openReviews } from './store-reviews.ts';
export { type CalibratedThreshold, calibrateThreshold } from './threshold.ts';
export { openVerifier, type VerifierSurroundings } from './verifier.ts';
