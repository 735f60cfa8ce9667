import type { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { schemaProblems, unsoundPolicy, wordsFor } from '../../policy/schema/problems.ts';
import { readYaml } from '../../policy/schema/yaml-text.ts';
import { type ServeConfig, serveSchema } from './serve-schema.ts';

/** Keys of a file that only says how models are served. A file with others is a policy, which is checked as a whole elsewhere. */
const OWN = new Set(['schema', 'serve']);

/** How models are served, and whether the same file holds a policy. */
export interface ReadServe {
  readonly config: ServeConfig;
  readonly hasPolicy: boolean;
}

/**
 * Reads the section `serve` from the text of a `glacis.yaml`. A file without one serves what the command line names, with the defaults.
 * Errors: `policy/invalid` with line, column and path of each problem.
 */
export function readServe(text: string, where = 'glacis.yaml'): ReadServe {
  const { value, placeOf } = readYaml(text, where);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new GlacisError('policy/invalid', `${where}: expected a map with the key serve`);
  const file = value as Readonly<Record<string, unknown>>;
  return {
    config: checked(serveSchema, file.serve ?? {}, where, (path) => placeOf(['serve', ...path])),
    hasPolicy: Object.keys(file).some((key) => !OWN.has(key)),
  };
}

/** The settings of a server that nobody wrote a file for. */
export function defaultServe(): ServeConfig {
  return serveSchema.parse({});
}

function checked<T>(
  schema: z.ZodType<T>,
  value: unknown,
  where: string,
  placeOf: (path: readonly PropertyKey[]) => string,
): T {
  const parsed = schema.safeParse(value, { error: (issue) => `=${wordsFor(issue, undefined)}` });
  if (parsed.success) return parsed.data;
  throw unsoundPolicy(schemaProblems(parsed.error.issues, value), where, placeOf);
}
