/** Runs attacks against a model, verifies what they made, and says what is left. */

export { clopperPearson } from '../core/statistics/clopper-pearson.ts';
export {
  type Difference,
  type PairedCounts,
  pairedDifference,
  unpairedDifference,
} from '../core/statistics/difference.ts';
export { fisherExact } from '../core/statistics/fisher.ts';
export { holm } from '../core/statistics/holm.ts';
export { type McNemar, mcnemar } from '../core/statistics/mcnemar.ts';
export { type Median, medianOf } from '../core/statistics/median.ts';
export { type Assessed, type AssessOptions, assess } from './assess.ts';
export { type Calibration, type ConfidenceBin, calibrationOf } from './calibration/calibration.ts';
export { type Confidences, confidencesOf, type Scored } from './calibration/confidences.ts';
export { type FittedTemperature, fitTemperature } from './calibration/fit-temperature.ts';
export { type CompareOptions, compareAssessments } from './compare/compare.ts';
export type {
  ClassRates,
  ComparedModel,
  Comparison,
  ComparisonRow,
  Contrast,
  ContrastVerdict,
  Rate,
} from './compare/comparison.ts';
export { comparisonToJson, parseComparison } from './compare/comparison-json.ts';
export { type BuildOptions, type Built, buildDefended } from './defence/build.ts';
export { type EvaluateOptions, evaluateDefence } from './defence/evaluate.ts';
export type { DefenceEvaluation, DefenceRow, DetectorResult, TemperatureResult } from './defence/result.ts';
export { defenceToJson, parseDefence } from './defence/result-json.ts';
export { type Generalisation, generalisationOf } from './generalisation/generalisation.ts';
export { type MembershipTest, membershipTest } from './generalisation/membership.ts';
export type {
  Assessment,
  Confusion,
  DataSummary,
  Environment,
  EvasionResult,
  Finding,
  ModelSummary,
  Severity,
  WorstCase,
} from './result.ts';
export { parseAssessment, toJson } from './result-json.ts';
export type { FoolRate, Transfer, TransferCell, TransferModel, TransferRow } from './transfer/result.ts';
export { parseTransfer, transferToJson } from './transfer/result-json.ts';
export { type TransferOptions, transfer } from './transfer/transfer.ts';
