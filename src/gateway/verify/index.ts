/** A second model that checks decisions, and the queue of those that a person must look at. */
export { type BothScores, verificationThresholds } from './calibration.ts';
export { type VerifyConfig, verifySchema } from './config-schema.ts';
export { openReviews } from './store-reviews.ts';
export { openVerifier, type VerifierSurroundings } from './verifier.ts';
