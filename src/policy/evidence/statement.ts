/** Who signed a statement, as the check of its signature showed; never what the statement says of itself. */
export interface Voucher {
  readonly method: 'key' | 'certificate' | 'sigstore';
  /** `sha256:` and the key's fingerprint; of the method `key`. */
  readonly key?: string | undefined;
  /** Whether the key is a post-quantum one (ML-DSA). */
  readonly postQuantum?: boolean | undefined;
  /** Names in the certificate, or the identity that Sigstore vouches for. */
  readonly identities?: readonly string[] | undefined;
  /** `sha256:` of the certificate at the top of the chain; of the method `certificate`. */
  readonly root?: string | undefined;
  /** Who vouched for the identity; of the method `sigstore`. */
  readonly issuer?: string | undefined;
}

/** The outcome of checking a statement's envelope against trusted keys. There is no third one. */
export type EnvelopeCheck =
  | { readonly verified: true; readonly by: Voucher }
  | { readonly verified: false; readonly reason: string };

/**
 * An in-toto statement as the gate gets it. Whoever makes one from bytes must have checked the envelope; what is in the statement is
 * attacker-controlled unless `check` says that a trusted signer wrote it, and even then it is read with checks.
 */
export interface Statement {
  /** The file that holds it, as it is shown. */
  readonly file: string;
  /** `sha256:` of the file's bytes: what an audit looks it up by. */
  readonly digest: string;
  readonly check: EnvelopeCheck;
  /** The digests that it is about, `sha256:…`; empty where it could not be read. */
  readonly subjects: readonly string[];
  readonly predicateType: string;
  readonly predicate: unknown;
  /**
   * Of a model's own signature: the files on disk were found to be, one by one, those that it signed, under the one digest in `subjects`.
   * Without it such a statement counts only when that digest is one that the model is known by.
   */
  readonly filesMatch?: true;
}

/** The predicate type of a model's own signature (OMS v1.0). */
export const MODEL_SIGNATURE = 'https://model_signing/signature/v1.0';
/** The predicate type of SLSA provenance. */
export const SLSA_PROVENANCE = 'https://slsa.dev/provenance/v1';
/** The predicate type of CycloneDX bills of materials. */
export const BILL_OF_MATERIALS = 'https://cyclonedx.org/bom';
/** The predicate type of in-toto test results. */
export const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';
/** The predicate type of SLSA verification summaries. */
export const VERIFICATION_SUMMARY = 'https://slsa.dev/verification_summary/v1';
