/**
 * The guarded gateway: models over the Open Inference Protocol, with identity, limits, guards, shaped answers, a second opinion, and a log that can be verified.
 * A service within another program opens it with {@link openGateway}; `glacis serve` does the same.
 */
export type { Caller, Question, Reply } from './call.ts';
export { defaultServe, type ReadServe, readServe } from './config/read-serve.ts';
export type { ServeConfig } from './config/serve-schema.ts';
export type { Decision, Event, GuardRecord } from './decision.ts';
export { DETAILS, type Detail } from './detail.ts';
export { type GatewayOptions, openGateway, type RunningGateway } from './open-gateway.ts';
export { REFUSALS, type Refusal } from './refusal.ts';
