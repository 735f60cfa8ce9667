import type { Scope } from './scope.ts';

/** Who a caller is, after verification. */
export interface Principal {
  /** Stays the same when keys rotate: budgets, guards and the log count by it. */
  readonly id: string;
  /** Whom it belongs to: a customer, a team. */
  readonly tenant: string;
  /** The credential: a key's id, a token's issuer and subject, a certificate's fingerprint. Never the secret. */
  readonly credential: string;
  readonly kind: 'key' | 'token' | 'certificate' | 'anonymous';
  readonly roles: readonly string[];
  /** What the credential is confined to, whatever policies allow. Keys always have one. */
  readonly scope?: Scope | undefined;
}
