import { basename, resolve } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import type { Bundle } from './bundle.ts';
import { type CompareOptions, compareModel, type Difference } from './compare-model.ts';
import { GIT_PATHS } from './ignored.ts';
import { rootDigest } from './manifest.ts';
import { manifestFrom, type SignedManifest } from './oms-statement.ts';
import type { SignatureCheck, SignedBy } from './signer.ts';

/** What became of a verification; plain JSON. */
export interface Verification {
  readonly schema: 'glacis.verification/1';
  /** `verified` only when the signature fits and the model is, file by file, the one that was signed. */
  readonly verdict: 'verified' | 'refused';
  /** The model that was looked at. */
  readonly model: string;
  /** `sha256:` and the signed root digest; absent when there is none to trust. */
  readonly digest?: string;
  /** Who signed; absent when that is not shown. */
  readonly signedBy?: SignedBy;
  /** Why it was refused; empty when it was not. */
  readonly reasons: readonly string[];
  /** How the model differs from the signed one; only where the signature fits. */
  readonly differences: readonly Difference[];
  readonly warnings: readonly string[];
}

/** How a model is verified. */
export interface VerifyOptions extends Partial<CompareOptions> {
  /** Whether what git leaves at the root is let be; it is unless `false`. */
  readonly ignoreGitPaths?: boolean | undefined;
}

/**
 * Verifies the model at `path` against a bundle. In this order: the signature, by `check`; the statement that it covers; the files. What is
 * not reached is not shown. Errors: `model/unreadable`, `manifest/changed`, and those of `check`; all else is a verdict.
 */
export async function verifyModel(
  path: string,
  bundle: Bundle,
  check: (bundle: Bundle) => SignatureCheck | Promise<SignatureCheck>,
  { ignoreGitPaths = true, ignorePaths = [], ignoreUnsignedFiles = false, ...how }: VerifyOptions = {},
): Promise<Verification> {
  const model = basename(resolve(path));
  const refuse = (reasons: readonly string[], rest: Partial<Verification> = {}): Verification => ({
    schema: 'glacis.verification/1',
    verdict: 'refused',
    model,
    reasons,
    differences: [],
    warnings: [],
    ...rest,
  });
  const checked = await check(bundle);
  if (!checked.fits) return refuse([checked.reason]);
  const signedBy = checked.by;
  let signed: SignedManifest;
  try {
    signed = manifestFrom(bundle.envelope.payload);
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    return refuse([thrown.message], { signedBy, warnings: checked.warnings });
  }
  const { manifest } = signed;
  const compared = await compareModel(path, manifest, {
    ...how,
    ignoreUnsignedFiles,
    ignorePaths: [...ignorePaths, ...(ignoreGitPaths ? GIT_PATHS : [])],
  });
  const { differences } = compared;
  const warnings = [...checked.warnings, ...compared.warnings];
  const digest = `sha256:${rootDigest(manifest.resources)}`;
  if (differences.length > 0)
    return refuse([reasonFor(differences)], { digest, signedBy, differences, warnings });
  return {
    schema: 'glacis.verification/1',
    verdict: 'verified',
    model,
    digest,
    signedBy,
    reasons: [],
    differences: [],
    warnings,
  };
}

function reasonFor(differences: readonly Difference[]): string {
  const words = { changed: 'changed', missing: 'missing', extra: 'not signed', refused: 'not allowed' };
  const counts = Object.entries(words)
    .map(([kind, word]) => [differences.filter((d) => d.kind === kind).length, word] as const)
    .filter(([count]) => count > 0);
  return `the model is not the one that was signed: ${counts.map(([n, word]) => `${n} ${word}`).join(', ')}`;
}
