import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { pathProblem } from '../model-manifest.ts';
import { isDigest } from '../names.ts';

/** The first file of a bundle: what is in it. */
export const INDEX_PATH = 'glacis-bundle.json';
/** Bytes of an index at most. */
export const MOST_INDEX_BYTES = 4 << 20;

/** What a file of a bundle is for. Its path begins with this word. */
export const PARTS = ['model', 'evidence', 'policy', 'trust'] as const;
/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

const shape = z.strictObject({
  schema: z.literal('glacis.bundle/1'),
  /** What the policy calls the model. */
  name: z.string().min(1).max(200),
  /** Whether the model is one file and not a folder. */
  single: z.boolean(),
  files: z
    .array(
      z.strictObject({
        part: z.enum(PARTS),
        path: z.string().max(300),
        size: z.int().min(0),
        digest: z.string().refine(isDigest, 'expected sha256: and 64 hexadecimal digits'),
      }),
    )
    .min(1)
    .max(20_000),
});

/** The index of a bundle. */
export type BundleIndex = z.infer<typeof shape>;
/** A file of a bundle. */
export type BundleFile = BundleIndex['files'][number];

/**
 * What must come from outside to believe a bundle: the digest over its policy and its keys and roots, by name and content. Without it a
 * bundle could bring along a policy that allows everything and keys that signed everything.
 */
export function anchorOf({ name, files }: BundleIndex): string {
  const hash = createHash('sha256').update('glacis bundle anchor v1\0').update(`${name}\0`);
  for (const { part, path, digest } of files)
    if (part === 'policy' || part === 'trust') hash.update(`${path}\0${digest}\0`);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Reads an index: plain paths below their part, in order, each once, exactly one policy.
 *
 * @param bytes attacker-controlled
 * @throws GlacisError `bundle/invalid`
 */
export function parseIndex(bytes: Uint8Array, where: string): BundleIndex {
  const fail = (problem: string): never => {
    throw new GlacisError('bundle/invalid', `${where}: ${problem}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    fail('expected an index in JSON');
  }
  const read = shape.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    return fail(`${issue?.path.join('.') || 'index'}: ${issue?.message}`);
  }
  const seen = new Set<string>();
  for (const { part, path } of read.data.files) {
    const problem = path.startsWith(`${part}/`) ? pathProblem(path) : `is not below ${part}/`;
    if (problem) fail(`path ${JSON.stringify(path.slice(0, 80))} ${problem}`);
    const folded = path.normalize('NFC').toLowerCase();
    const steps = folded.split('/');
    const inside = steps.some((_, n) => n > 0 && seen.has(steps.slice(0, n).join('/')));
    if (seen.has(folded) || inside)
      fail(`expected each path once, got ${JSON.stringify(path)} again or inside a file`);
    seen.add(folded);
  }
  const count = (part: Part) => read.data.files.filter((file) => file.part === part).length;
  if (count('policy') !== 1) fail(`expected one policy, got ${count('policy')}`);
  if (count('model') === 0 || (read.data.single && count('model') !== 1))
    fail('expected the files of a model');
  return read.data;
}
