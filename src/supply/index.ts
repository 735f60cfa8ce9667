/** The supply chain of a model: its digest, signatures over it, statements about it, its bill of materials. */
export { type BomNetwork, type BomSource, billOfMaterials } from './bom/bill-of-materials.ts';
export {
  type AttestOptions,
  PREDICATES,
  type PredicateName,
  statementFrom,
} from './provenance/from-result.ts';
export {
  type Statement,
  type StatementSubject,
  signStatement,
  statementAbout,
} from './provenance/statement.ts';
export { type Baseline, type BaselineEntry, readBaseline } from './secrets/baseline.ts';
export { findSecrets, type SecretsOptions, type SecretsResult } from './secrets/find-secrets.ts';
export { stripNotebook } from './secrets/notebook/strip.ts';
export { type Bundle, type Method, parseBundle } from './sign/bundle.ts';
export { type Certificate, readCertificates } from './sign/certificate.ts';
export {
  type CertificateTrust,
  certificateSigner,
  checkCertificateSignature,
} from './sign/certificate-method.ts';
export type { Difference } from './sign/compare-model.ts';
export { fingerprintOf, privateKeyFrom, publicKeyFrom } from './sign/ec-key.ts';
export { HASH_TYPES, type HashType } from './sign/hash-type.ts';
export { checkKeySignature, keySigner } from './sign/key-method.ts';
export { type Manifest, type Resource, rootDigest, type Serialization } from './sign/manifest.ts';
export { manifestFrom, type SignedManifest } from './sign/oms-statement.ts';
export { loadPkcs11, openPkcs11Key, type Pkcs11Key, pkcs11Signer } from './sign/pkcs11.ts';
export { type Pkcs11Uri, parsePkcs11Uri } from './sign/pkcs11-uri.ts';
export {
  checkBoth,
  type PostQuantumTrust,
  postQuantumKeyFrom,
  signPostQuantum,
} from './sign/post-quantum.ts';
export {
  type Dialect,
  type ManifestOptions,
  type ModelManifest,
  readManifest,
} from './sign/read-manifest.ts';
export { type SignedModel, signModel } from './sign/sign-model.ts';
export type { SignatureCheck, SignedBy, Signer } from './sign/signer.ts';
export { type AmbientSurroundings, ambientToken } from './sign/sigstore/ambient-token.ts';
export { type SigstoreTrust, sigstoreCheck } from './sign/sigstore/check.ts';
export { type IdentityToken, identityTokenFrom, SIGSTORE_CLIENT } from './sign/sigstore/identity-token.ts';
export {
  PUBLIC_SIGSTORE,
  type SigstoreServices,
  STAGING_SIGSTORE,
  servicesFrom,
} from './sign/sigstore/services.ts';
export { sigstoreSigner } from './sign/sigstore/signer.ts';
export { type Verification, type VerifyOptions, verifyModel } from './sign/verify-model.ts';
