import { GlacisError } from '../../core/error.ts';
import { IN_TOTO } from './dsse.ts';
import type { Signer } from './signer.ts';

/** What is used of the package `@sigstore/sign`. */
export interface SigstorePackage {
  readonly DSSEBundleBuilder: new (options: {
    readonly signer: unknown;
    readonly witnesses: readonly unknown[];
  }) => { create(artifact: { readonly data: Buffer; readonly type: string }): Promise<unknown> };
  readonly FulcioSigner: new (options: {
    readonly fulcioBaseURL: string;
    readonly identityProvider: { getToken(): Promise<string> };
  }) => unknown;
  readonly RekorWitness: new (options: {
    readonly rekorBaseURL: string;
    readonly entryType: 'dsse' | 'intoto';
  }) => unknown;
}

/** Where keyless signing happens. */
export interface SigstoreServices {
  /** The authority that gives certificates. */
  readonly fulcio: string;
  /** The log that signatures are entered in, for everyone to see. */
  readonly rekor: string;
}

/** The services that the Open Source Security Foundation runs for everyone. */
export const PUBLIC_SIGSTORE: SigstoreServices = {
  fulcio: 'https://fulcio.sigstore.dev',
  rekor: 'https://rekor.sigstore.dev',
};

/** Loads the package `@sigstore/sign`, which brings forty others and so is not installed with Glacis. Errors: `signing/unavailable`. */
export async function loadSigstore(): Promise<SigstorePackage> {
  const name = '@sigstore/sign';
  try {
    const loaded = (await import(name)) as SigstorePackage & { readonly default?: SigstorePackage };
    return loaded.default ?? loaded;
  } catch (cause) {
    throw new GlacisError(
      'signing/unavailable',
      'Sigstore: expected the package @sigstore/sign beside glacis, got none; install it with: npm install @sigstore/sign',
      { cause },
    );
  }
}

/**
 * Signs as whoever an OpenID Connect token names, with a key that lives for this one signature. Uses the network: the identity and a digest of
 * the statement become public in the log, for ever, where the public services are used. `token` is only sent to `services.fulcio`.
 * Errors: `signing/unavailable` when a service refuses or does not answer.
 */
export async function sigstoreSigner(
  token: string,
  services: SigstoreServices,
  { DSSEBundleBuilder, FulcioSigner, RekorWitness }: SigstorePackage,
): Promise<Signer> {
  const { bundleToJSON } = await import('@sigstore/bundle');
  return {
    method: 'sigstore',
    who: 'the identity in the token',
    async sign(payload) {
      try {
        const builder = new DSSEBundleBuilder({
          signer: new FulcioSigner({
            fulcioBaseURL: services.fulcio,
            identityProvider: { getToken: async () => token },
          }),
          witnesses: [new RekorWitness({ rekorBaseURL: services.rekor, entryType: 'dsse' })],
        });
        const bundle = await builder.create({ data: Buffer.from(payload), type: IN_TOTO });
        return bundleToJSON(bundle as Parameters<typeof bundleToJSON>[0]);
      } catch (thrown) {
        // The package repeats the token in its messages; whoever reads a log could sign with it. So there is no cause, either.
        const message = (thrown instanceof Error ? thrown.message : String(thrown)).replaceAll(
          token,
          '(the token)',
        );
        throw new GlacisError('signing/unavailable', `Sigstore: ${message}`);
      }
    },
  };
}
