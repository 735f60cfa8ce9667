import { GlacisError } from '../../../core/error.ts';
import type { Bundle } from '../bundle.ts';
import { type Fields, isObject } from '../json-fields.ts';
import type { SignatureCheck } from '../signer.ts';

/** Whose signature is wanted, and whom to believe about it. */
export interface SigstoreTrust {
  /** A trusted root in JSON, or a client trust configuration with one in it: authorities, logs and their keys. */
  readonly trustedRoot: Uint8Array;
  /** The signer, letter for letter: an address, or the address of a workflow. */
  readonly identity: string;
  /** Who vouched for the identity, letter for letter, e.g. `https://accounts.example.com`. */
  readonly identityProvider: string;
}

/**
 * A check of Sigstore signatures without network: the certificate leads to an authority of the trusted root and was logged, the signature was
 * entered in a transparency log while the certificate was valid, and it fits. Identity and provider are compared as texts, not as patterns.
 * Errors: `key/unusable` for a trusted root that cannot be read.
 */
export async function sigstoreCheck({
  trustedRoot,
  identity,
  identityProvider,
}: SigstoreTrust): Promise<(bundle: Bundle) => SignatureCheck> {
  const [{ bundleFromJSON }, { toSignedEntity, toTrustMaterial, Verifier }, { TrustedRoot }] =
    await Promise.all([
      import('@sigstore/bundle'),
      import('@sigstore/verify'),
      import('@sigstore/protobuf-specs'),
    ]);
  let verifier: InstanceType<typeof Verifier>;
  try {
    verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(trustedRootIn(trustedRoot))));
  } catch (cause) {
    throw notARoot(cause);
  }
  return ({ material, json }) => {
    if (material.method !== 'sigstore')
      return { fits: false, reason: `it was signed with a ${material.method}, not with Sigstore` };
    try {
      const entity = toSignedEntity(bundleFromJSON(json));
      const signer = verifier.verify(entity);
      const found = signer.identity?.subjectAlternativeName;
      const issuer = signer.identity?.extensions?.issuer;
      if (found !== identity)
        return { fits: false, reason: `it was signed by ${found ?? 'nobody named'}, not by ${identity}` };
      if (issuer !== identityProvider)
        return {
          fits: false,
          reason: `${issuer ?? 'nobody named'} vouched for the identity, not ${identityProvider}`,
        };
      const time = Number(entity.tlogEntries[0]?.integratedTime ?? 0);
      return {
        fits: true,
        by: {
          method: 'sigstore',
          identity,
          identityProvider,
          ...(time > 0 ? { signedAt: new Date(time * 1000).toISOString() } : {}),
        },
        warnings: [],
      };
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return { fits: false, reason: `Sigstore's proof does not hold: ${reason.slice(0, 300)}` };
    }
  };
}
/** The addresses of the authorities that a trusted root, or a client trust configuration with one in it, believes. Errors: `key/unusable`. */
export function authoritiesIn(trustedRoot: Uint8Array): readonly string[] {
  const authorities = trustedRootIn(trustedRoot).certificateAuthorities as readonly unknown[];
  return authorities.flatMap((each) => (isObject(each) && typeof each.uri === 'string' ? [each.uri] : []));
}

function trustedRootIn(bytes: Uint8Array): Fields {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw notARoot(cause);
  }
  const root = isObject(json) && isObject(json.trustedRoot) ? json.trustedRoot : json;
  if (!isObject(root) || !Array.isArray(root.certificateAuthorities)) throw notARoot();
  return root;
}

function notARoot(cause?: unknown): GlacisError {
  return new GlacisError('key/unusable', 'the trusted root: expected one in JSON, got something else', {
    cause,
  });
}
