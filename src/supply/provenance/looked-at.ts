import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { GIT_PATHS, ignoring } from '../sign/ignored.ts';
import { rootDigest } from '../sign/manifest.ts';
import { hashResources } from '../sign/read-manifest.ts';
import { byCodePoints } from '../sign/resource-name.ts';
import { type Walk, walkModel } from '../sign/walk.ts';

/** What a scan or a search looked at, in the digests that signatures and statements name. */
export interface LookedAt {
  /** The last step of the path that was given. */
  readonly name: string;
  /** `sha256:` and the root digest of the file or folder as a model. */
  readonly digest: string;
  /** `sha256:` and the digest of each of its files, sorted by their names. */
  readonly digests: readonly string[];
}

/** A result that says when it was made and of what. */
export type Dated<Result> = Result & {
  /** When looking ended, ISO 8601. */
  readonly finishedAt: string;
  /** `null` where that cannot be said: several paths, links, a file that was passed over or changed meanwhile. */
  readonly model: LookedAt | null;
};

/** How {@link lookedAt} runs. */
export interface LookedAtOptions {
  /** Whether a file of that name, relative to the path, is looked at and not passed over. */
  readonly covers: (name: string) => boolean;
  readonly now: () => Date;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}

/**
 * Runs `look` over `paths` and adds to its result when it ended and the digest of what it saw. Files are listed before and hashed after, and
 * one that is not in the same state both times gives no digest: what was looked at is what was hashed. Never fails because of what lies
 * there. Cost: one hashing of everything. Errors: those of `look`, `run/cancelled`.
 */
export async function lookedAt<Result extends object>(
  paths: readonly string[],
  { covers, now, signal, progress }: LookedAtOptions,
  look: () => Promise<Result>,
): Promise<Dated<Result>> {
  const [path, ...more] = paths;
  const walk =
    path === undefined || more.length > 0 ? undefined : await quietly(listed(path, covers, signal));
  const result = await look();
  const finishedAt = now().toISOString();
  const model = walk === undefined ? undefined : await quietly(hashed(walk, signal, progress));
  return { ...result, finishedAt, model: model ?? null };
}

async function listed(
  path: string,
  covers: (name: string) => boolean,
  signal: AbortSignal | undefined,
): Promise<Walk | undefined> {
  const walk = await walkModel(path, { ignored: ignoring(GIT_PATHS), allowSymlinks: false, signal });
  const whole = walk.refused.length === 0 && walk.files.length > 0;
  return whole && walk.files.every(({ name }) => covers(name)) ? walk : undefined;
}

async function hashed(
  walk: Walk,
  signal: AbortSignal | undefined,
  progress: Progress | undefined,
): Promise<LookedAt> {
  const serialization = { method: 'files', hashType: 'sha256', allowSymlinks: false } as const;
  const files = walk.files.toSorted((a, b) => byCodePoints(a.name, b.name));
  const resources = await hashResources({ files }, serialization, { signal, progress });
  return {
    name: walk.name,
    digest: `sha256:${rootDigest(resources)}`,
    digests: resources.map(({ digest }) => `sha256:${digest}`),
  };
}

/** `undefined` where it fails for any reason but cancellation. */
async function quietly<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (thrown instanceof GlacisError && thrown.code !== 'run/cancelled') return undefined;
    throw thrown;
  }
}
