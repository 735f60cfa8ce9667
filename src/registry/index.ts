export { type Blob, type BlobStore, type OpenBlob, verified } from './blob-store.ts';
export type { EvidenceRef, Party, RegistryEvent, Roles } from './event.ts';
export type { EventLog, LogKeeper } from './event-log.ts';
export { logSigners, newLogKey } from './log-key.ts';
export { type Memory, memoryHome, memoryOf } from './memory.ts';
export { type ModelEntry, parseManifest } from './model-manifest.ts';
export { type ModelReference, parseReference } from './names.ts';
export { keyIdOf, privateKeysIn, publicKeysIn, publicKeyText } from './party-key.ts';
export { openPlace, type Place, type RecordStore } from './place.ts';
export {
  type AliasRequest,
  type Approval,
  type Approved,
  changeAlias,
  changeRoles,
  freeze,
  revoke,
} from './promote.ts';
export { filesOf, pull, type Resolved, readEvidence, resolveReference } from './pull.ts';
export { type PushRequest, push } from './push.ts';
export {
  initRegistry,
  type NewRegistry,
  openRegistry,
  type Registry,
  type RegistryAccess,
  requireFresh,
} from './registry.ts';
export {
  type AliasChange,
  type AliasState,
  currentOf,
  type Frozen,
  type Pending,
  type RegistryState,
  type Revocation,
  revocationOf,
  type VersionState,
} from './state.ts';
export { formatTrust, parseTrust, type Trust } from './trust.ts';
export { type RegistryCheck, type VerifyOptions, verifyRegistry } from './verify-registry.ts';
