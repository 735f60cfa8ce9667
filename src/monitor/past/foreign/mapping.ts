import { z } from 'zod';
import { GlacisError } from '../../../core/error.ts';
import { schemaProblems, unsoundPolicy, wordsFor } from '../../../policy/schema/problems.ts';
import { readYaml } from '../../../policy/schema/yaml-text.ts';

/** What a line may say of a call, under the names that {@link Mapping} has for them. */
const FIELDS = [
  ...['id', 'time', 'principal', 'tenant', 'address', 'model', 'version', 'path'],
  ...['status', 'milliseconds', 'seconds', 'label', 'score', 'scores', 'n'],
] as const;

/** One of the fields of a call. */
export type MappedField =
  | ('id' | 'time' | 'principal' | 'tenant' | 'address' | 'model' | 'version' | 'path')
  | ('status' | 'milliseconds' | 'seconds' | 'label' | 'score' | 'scores' | 'n');

const source = z.string({ error: 'the name of a member or group' }).min(1).max(200);

const schema = z.strictObject({
  schema: z.literal('glacis.log-mapping/1', { error: "'glacis.log-mapping/1'" }),
  pattern: z
    .string({ error: 'a regular expression' })
    .min(1)
    .max(4000)
    .optional()
    .describe(
      'A regular expression with named groups that a whole line must fit; without, lines are JSON objects.',
    ),
  fields: z
    .strictObject(Object.fromEntries(FIELDS.map((field) => [field, source.optional()])))
    .describe(
      'Where each field of a call stands: a member of the object (with dots between levels), or a group of the pattern.',
    ),
  paths: z
    .string({ error: 'a regular expression' })
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Which paths ask a model, with the groups `model` and `version`; lines of other paths are passed over.',
    ),
});

/** How lines of another server say what a call was. */
export interface Mapping {
  /** Undefined: lines are JSON objects. */
  readonly pattern: RegExp | undefined;
  readonly fields: ReadonlyMap<MappedField, readonly string[]>;
  readonly paths: RegExp;
}

/** Paths of the Open Inference Protocol (`/v2/models/NAME[/versions/V]/infer`) and of KServe's and TensorFlow's first (`/v1/models/NAME[/versions/V]:predict`), behind any prefix. */
const INFERENCE =
  /\/v[12]\/models\/(?<model>[^/:?]+)(?:\/versions\/(?<version>[^/:?]+))?(?:\/infer|:predict)(?:\?|$)/;

/**
 * Reads a mapping: YAML with `schema: glacis.log-mapping/1`. Errors: `policy/invalid` for what is none, with its place and what was expected: unknown fields, a pattern that is no regular expression, a group that it does not
 * have, no time.
 */
export function readMapping(text: string, where: string): Mapping {
  const { value, placeOf } = readYaml(text, where);
  const read = schema.safeParse(value, { error: (issue) => `=${wordsFor(issue as never, undefined)}` });
  if (!read.success) throw unsoundPolicy(schemaProblems(read.error.issues, value), where, placeOf);
  const { pattern, fields, paths } = read.data;
  return mappingOf({ pattern, fields: fields as Partial<Record<MappedField, string>>, paths }, where);
}

/** A mapping from its parts. Errors: as {@link readMapping}. */
export function mappingOf(
  {
    pattern,
    fields,
    paths,
  }: {
    readonly pattern?: string | undefined;
    readonly fields: Readonly<Partial<Record<MappedField, string>>>;
    readonly paths?: string | undefined;
  },
  where: string,
): Mapping {
  const refuse = (what: string) => new GlacisError('policy/invalid', `${where}: ${what}`);
  const compiled = (text: string, name: string): RegExp => {
    try {
      return new RegExp(text, 'u');
    } catch (thrown) {
      throw refuse(`${name}: expected a regular expression: ${(thrown as Error).message}`);
    }
  };
  const line = pattern === undefined ? undefined : compiled(`^(?:${pattern})$`, 'pattern');
  const asks = paths === undefined ? INFERENCE : compiled(paths, 'paths');
  const known = new Map(
    Object.entries(fields).map(([field, from]) => [
      field as MappedField,
      line === undefined ? from.split('.') : [from],
    ]),
  );
  if (!known.has('time')) throw refuse('fields: expected one for time, got none');
  if (line !== undefined)
    for (const [field, [group]] of known)
      if (!pattern!.includes(`(?<${group}>`))
        throw refuse(`fields: ${field}: expected a group of the pattern, got '${group}'`);
  return { pattern: line, fields: known, paths: asks };
}

const QUOTED = '(?:[^"\\\\]|\\\\.)*';

/** Formats that are known by name. */
export const KNOWN: Readonly<Record<'nginx' | 'envoy' | 'envoy-json', Mapping>> = {
  // https://nginx.org/en/docs/http/ngx_http_log_module.html: `combined`, and `$request_time` after it where somebody added it.
  nginx: mappingOf(
    {
      pattern: `(?<address>\\S+) \\S+ (?<user>\\S+) \\[(?<time>[^\\]]+)\\] "\\S+ (?<path>\\S+)[^"]*" (?<status>\\d{3}) \\S+ "${QUOTED}" "${QUOTED}"(?: (?<seconds>\\d+\\.\\d+))?`,
      fields: {
        ...{ address: 'address', principal: 'user', time: 'time', path: 'path', status: 'status' },
        seconds: 'seconds',
      },
    },
    'nginx',
  ),
  // https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage: the default format string.
  envoy: mappingOf(
    {
      pattern: `\\[(?<time>[^\\]]+)\\] "\\S+ (?<path>\\S+)[^"]*" (?<status>\\d+) \\S+(?: \\S+ \\S+ "${QUOTED}")? \\d+ \\d+ (?<milliseconds>\\d+) \\S+ "(?<address>[^",]*)[^"]*" "${QUOTED}" "(?<id>${QUOTED})" "${QUOTED}" "${QUOTED}"`,
      fields: {
        ...{ time: 'time', path: 'path', status: 'status', milliseconds: 'milliseconds' },
        ...{ address: 'address', id: 'id' },
      },
    },
    'envoy',
  ),
  // The same operators as members of an object, by the names that Envoy's and Istio's documents use.
  'envoy-json': mappingOf(
    {
      fields: {
        ...{ time: 'start_time', path: 'path', status: 'response_code', milliseconds: 'duration' },
        ...{ address: 'x_forwarded_for', id: 'request_id' },
      },
    },
    'envoy-json',
  ),
};
