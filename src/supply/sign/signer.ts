import type { Method } from './bundle.ts';

/** Somebody who can sign a statement. */
export interface Signer {
  readonly method: Method;
  /** Who it is, in words: a key's fingerprint, a certificate's subject, an identity. */
  readonly who: string;
  /** The bundle over `payload` (of type `application/vnd.in-toto+json`), ready for `JSON.stringify`. */
  sign(payload: Uint8Array): Promise<object>;
}

/** Who signed, as far as the check could tell. */
export interface SignedBy {
  readonly method: Method;
  /** Hexadecimal SHA-256 of the key's PEM, as bundles have it. */
  readonly keyFingerprint?: string;
  /** The same of the ML-DSA-65 key, where a second signature fits, too. */
  readonly postQuantumFingerprint?: string;
  /** A certificate's subject. */
  readonly subject?: string;
  /** A certificate's issuer. */
  readonly issuer?: string;
  /** A Sigstore identity, such as an address or a workflow. */
  readonly identity?: string;
  /** Who vouched for the identity. */
  readonly identityProvider?: string;
  /** When it was signed, where that is proven; ISO 8601. */
  readonly signedAt?: string;
}

/** The outcome of checking a bundle's signature. There is no third one, and no default. */
export type SignatureCheck =
  | { readonly fits: true; readonly by: SignedBy; readonly warnings: readonly string[] }
  | { readonly fits: false; readonly reason: string };
