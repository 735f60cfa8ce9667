import { open } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import type { Voucher } from '../../../policy/evidence/statement.ts';
import { checkBundle, type EnvelopeTrust } from '../../../policy/evidence/trust.ts';
import { type Bundle, MOST_BUNDLE_BYTES, parseBundle } from '../../../supply/sign/bundle.ts';
import { rootDigest } from '../../../supply/sign/manifest.ts';
import { manifestFrom } from '../../../supply/sign/oms-statement.ts';
import { compareHeld } from './compare-held.ts';
import type { HeldModel } from './held-model.ts';
import type { CheckResult } from './passed-check.ts';

/** Whether the bytes that were read are, file by file, what a trusted signer signed. Errors: `signature/unreadable`, `statement/invalid`. */
export async function checkSignature(
  held: HeldModel,
  file: string,
  trust: EnvelopeTrust,
): Promise<CheckResult> {
  const bundle = parseBundle(await bytesOf(file));
  const check = await checkBundle(bundle, trust);
  if (!check.verified) return { failed: `signature: ${check.reason}` };
  const compared = await compareHeld(held, manifestFrom(bundle.envelope.payload).manifest);
  return 'differs' in compared
    ? { failed: `signature: ${compared.differs}` }
    : { passed: { check: 'signature', by: wordsFor(check.by) }, covered: compared.covered };
}

/** The root digest that a verified signature names, where it covers exactly what was read. Never throws for what it holds. */
export async function signedRootOf(
  held: HeldModel,
  bundle: Bundle,
): Promise<{ readonly root: string } | { readonly reason: string }> {
  try {
    const { manifest } = manifestFrom(bundle.envelope.payload);
    const compared = await compareHeld(held, manifest);
    if ('differs' in compared) return { reason: compared.differs };
    // What it leaves out is loaded, too: the gate's evidence is about the whole model.
    if (compared.covered.size < held.files.length) return { reason: 'it leaves out files of the model' };
    return { root: `sha256:${rootDigest(manifest.resources)}` };
  } catch (thrown) {
    return { reason: asGlacisError(thrown, 'statement/invalid', 'signature').message };
  }
}

function wordsFor({ method, key, identities = [], root, issuer }: Voucher): string {
  switch (method) {
    case 'key':
      return `key ${key}`;
    case 'certificate':
      return `certificate of ${identities.join(', ')} below ${root}`;
    case 'sigstore':
      return `${identities.join(', ')}, says ${issuer}`;
  }
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > MOST_BUNDLE_BYTES)
      throw new GlacisError(
        'signature/unreadable',
        `${file}: expected at most ${MOST_BUNDLE_BYTES} bytes, got ${size}`,
      );
    return await handle.readFile();
  } catch (thrown) {
    throw asGlacisError(thrown, 'signature/unreadable', file);
  }
}
