import type { Statement, Voucher } from '../evidence/statement.ts';
import type { Policy } from '../read-policy.ts';
import type { PolicySigner } from '../schema/policy.ts';

/** Whether the signer that the policy calls `name` made the signature. */
export function signedBy({ signers }: Policy, name: string, by: Voucher): boolean {
  const signer = Object.hasOwn(signers, name) ? signers[name] : undefined;
  if (signer?.key !== undefined) return by.method === 'key' && by.key === signer.key;
  if (signer?.certificate !== undefined)
    return (
      by.method === 'certificate' &&
      by.root === signer.certificate.root &&
      (by.identities ?? []).includes(signer.certificate.identity)
    );
  if (signer?.sigstore !== undefined)
    return (
      by.method === 'sigstore' &&
      by.issuer === signer.sigstore.issuer &&
      (by.identities ?? []).includes(signer.sigstore.identity)
    );
  return false;
}

/** Whether it was made with the post-quantum key that the policy gives this signer. */
export function isPostQuantumOf(signer: PolicySigner | undefined, by: Voucher): boolean {
  return (
    signer?.postQuantumKey !== undefined &&
    by.method === 'key' &&
    by.postQuantum === true &&
    by.key === signer.postQuantumKey
  );
}

/** Who signed, in a few words; an identity comes from a certificate. */
export function wordsOf({ method, key, identities }: Voucher): string {
  return `${method} ${key ?? identities?.join(', ') ?? 'of nobody'}`.slice(0, 200);
}

/** Whether the statement is about a model with one of these root digests. */
export function isAbout({ subjects }: Statement, { roots }: { readonly roots: readonly string[] }): boolean {
  return subjects.some((subject) => roots.includes(subject));
}
