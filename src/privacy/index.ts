/** Differential privacy: what training runs promise, how to plan them, and a ledger of what was spent on each data set. */
export { type AccountingOptions, deltaFor, epsilonFor } from './accountant.ts';
export { mostAdvantage } from './advantage.ts';
export { type Calibrated, noiseFor, type PrivacyTarget, rateFor, stepsFor } from './calibrate.ts';
export { gaussianDelta, gaussianEpsilon } from './gaussian.ts';
export { type LedgerRun, ledgerPath, type Reservation, recordSpent, reserve, runsOn } from './ledger.ts';
export type { PrivateRun } from './private-run.ts';
export { RDP_ORDERS } from './rdp-accountant.ts';
export { renyiOfStep } from './renyi.ts';
export { type Accountant, deltaWarning, type PrivacyStatement, sentenceOf } from './statement.ts';
export type { Direction } from './subsampled-gaussian.ts';
