/** Which evidence a model needs, and whether it has it: policies, statements, the gate, taxonomies. */
export type { AttackRun, Claim, Measured, Reading } from './evidence/claim.ts';
export { type EvidenceOptions, type OpenedEvidence, openEvidence } from './evidence/open-evidence.ts';
export { type Evidence, readEvidence } from './evidence/read-statement.ts';
export type { EnvelopeCheck, Statement, Voucher } from './evidence/statement.ts';
export {
  checkBundle,
  type EnvelopeTrust,
  joinTrust,
  type TrustMaterial,
  trustFrom,
} from './evidence/trust.ts';
export { decide } from './gate/decide.ts';
export type { Answer, Decision, Ignored, RejectCode, Rejected, Shown, State } from './gate/decision.ts';
export type { GateModel, GateQuestion } from './gate/question.ts';
export type { ThreatModel } from './init/threat-model.ts';
export { writePolicy } from './init/write-policy.ts';
export { type Policy, type PolicyEntry, parsePolicy, type StageRequirement } from './read-policy.ts';
export { adviceOn, explainPolicy } from './report/explain.ts';
export { junitReport } from './report/junit.ts';
export { gateSarif } from './report/sarif.ts';
export { policyJsonSchema } from './schema/json-schema.ts';
export type { Requirement, RequirementKind } from './schema/requirements.ts';
export { type Coverage, coverageOf } from './taxonomy/coverage.ts';
export {
  AISVS,
  ATLAS,
  NIST,
  nameOfEntry,
  OWASP_ML,
  TAXONOMIES,
  type Taxonomy,
} from './taxonomy/taxonomies.ts';
