import { generateKeyPairSync } from 'node:crypto';
import { bundleOf, envelopeJson } from '../bundle.ts';
import { IN_TOTO } from '../dsse.ts';
import { signWithEc } from '../ec-key.ts';
import type { Signer } from '../signer.ts';
import { certificateFor } from './fulcio.ts';
import type { IdentityToken } from './identity-token.ts';
import { enterInLog } from './rekor.ts';
import type { SigstoreServices } from './services.ts';

/**
 * Signs as whoever an OpenID Connect token names, with a key that lives for this one signature and is never written anywhere. `tokenNow` is asked when the
 * statement is there: tokens live for a minute, hashing a model may take longer. Uses the network: the identity and a digest of the statement become
 * public in the log, for ever, where the public services are used. The signature's time is the log's. Errors of signing: `signing/unavailable` when a service
 * refuses or does not answer, `run/cancelled`, those of `tokenNow`.
 */
export function sigstoreSigner(
  tokenNow: () => Promise<IdentityToken>,
  { fulcio, rekor }: Pick<SigstoreServices, 'fulcio' | 'rekor'>,
  signal?: AbortSignal,
): Signer {
  let who = 'an identity';
  return {
    method: 'sigstore',
    get who() {
      return who;
    },
    async sign(payload) {
      const token = await tokenNow();
      who = `${token.subject} (by ${token.issuer})`;
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const certificate = await certificateFor(token, pair, fulcio, signal);
      const signature = signWithEc(pair.privateKey, IN_TOTO, payload);
      const entry = await enterInLog(
        {
          envelope: JSON.stringify(envelopeJson(payload, signature)),
          payload,
          signature,
          certificate: certificate.toString(),
        },
        rekor,
        signal,
      );
      const material = { certificate: { rawBytes: certificate.raw.toString('base64') } };
      return bundleOf(payload, signature, material, [entry]);
    },
  };
}
