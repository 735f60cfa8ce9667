import { GlacisError } from '../../../core/error.ts';
import { tooInvolved } from './complexity.ts';
import type { Cedar, DetailedError, PolicyJson } from './engine.ts';
import type { PolicyText } from './policy-files.ts';

/** A policy that was read and fits the schema. */
export interface ReadPolicy {
  /** What its `@id` says or, without, `<file>:<line>`: the log names it so. */
  readonly id: string;
  readonly text: string;
  readonly effect: 'permit' | 'forbid';
  readonly json: PolicyJson;
}

/** Problems that an error names; the rest is counted. */
const SHOWN = 8;
const MOST_POLICIES = 2000;
const OWN_ID = /^[A-Za-z][A-Za-z0-9_.:/-]{0,99}$/;

/**
 * Reads policies and checks each against the schema, strictly: unknown types, actions and attributes are errors, and so are what Cedar only warns of:
 * a policy that can never apply (a prohibition that prohibits nothing), letters that look like others, text that runs backwards.
 *
 * @throws GlacisError `policy/invalid` with file, line and column of each problem
 */
export function readPolicies(
  cedar: Cedar,
  schema: string,
  texts: readonly PolicyText[],
): readonly ReadPolicy[] {
  const problems: string[] = [];
  const policies: ReadPolicy[] = [];
  for (const source of texts) {
    const involved = tooInvolved(source);
    const found = involved.length > 0 ? involved : problemsOf(cedar, schema, source);
    problems.push(...found);
    if (found.length === 0) policies.push(...policiesOf(cedar, source, problems));
  }
  const seen = new Set<string>();
  for (const { id } of policies) {
    if (seen.has(id)) problems.push(`expected each policy to have an id of its own, got '${id}' twice`);
    seen.add(id);
  }
  if (problems.length === 0 && policies.length === 0) problems.push('expected at least one policy, got none');
  if (policies.length > MOST_POLICIES)
    problems.push(`expected at most ${MOST_POLICIES} policies, got ${policies.length}`);
  if (problems.length > 0) {
    const more = problems.length > SHOWN ? [`and ${problems.length - SHOWN} more`] : [];
    throw new GlacisError('policy/invalid', [...problems.slice(0, SHOWN), ...more].join('\n'));
  }
  return policies;
}

function problemsOf(cedar: Cedar, schema: string, { name, text }: PolicyText): readonly string[] {
  const answer = cedar.validate({ schema, policies: { staticPolicies: text } });
  if (answer.type === 'failure') return answer.errors.flatMap((error) => wordsFor(error, name, text));
  const { validationErrors, validationWarnings, otherWarnings } = answer;
  return [
    ...[...validationErrors, ...validationWarnings].flatMap(({ error }) => wordsFor(error, name, text)),
    ...otherWarnings.flatMap((warning) => wordsFor(warning, name, text)),
  ];
}

/** `customers.cedar:3:14: attribute `nam` … not found (did you mean `name`?)`. */
function wordsFor(error: DetailedError, name: string, text: string): readonly string[] {
  const [place] = error.sourceLocations ?? [];
  const message = error.message.replace(/^for policy `policy\d+`, /, '');
  const label = place?.label ? `: ${place.label}` : '';
  const help = error.help ? ` (${error.help.replace(/^for policy `policy\d+`, /, '')})` : '';
  const at = place ? placeAt(text, place.start) : '';
  return [
    `${name}${at}: ${message}${label}${help}`,
    ...(error.related ?? []).flatMap((related) => wordsFor(related, name, text)),
  ];
}

/** `:line:column` of a byte of a text, both from 1. */
function placeAt(text: string, byte: number): string {
  const before = Buffer.from(text).subarray(0, byte).toString();
  const lineStart = before.lastIndexOf('\n') + 1;
  return `:${before.split('\n').length}:${before.length - lineStart + 1}`;
}

function policiesOf(cedar: Cedar, { name, text }: PolicyText, problems: string[]): readonly ReadPolicy[] {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') throw new GlacisError('policy/invalid', `${name}: expected policies`);
  let from = 0;
  return inOrder(parts.policies).map((part) => {
    const start = text.indexOf(part, from);
    from = start + part.length;
    const line = text.slice(0, start).split('\n').length;
    const answer = cedar.policyToJson(part);
    if (answer.type === 'failure')
      throw new GlacisError('policy/invalid', `${name}:${line}: expected a policy`);
    const { json } = answer;
    const own = json.annotations?.id;
    if (own !== undefined && !OWN_ID.test(own))
      problems.push(
        `${name}:${line}: expected an id of at most 100 letters, digits, '.', '_', ':', '/' and '-'`,
      );
    return { id: own ?? `${name}:${line}`, text: part, effect: json.effect, json };
  });
}

/** Cedar gives policies in the order of `policy0`, `policy1`, `policy10`, `policy2` …; here they are as they stand in the text. */
function inOrder(policies: readonly string[]): readonly string[] {
  const names = policies.map((_, i) => `policy${i}`).sort();
  return policies
    .map((policy, i) => ({ policy, at: Number(names[i]!.slice('policy'.length)) }))
    .sort((a, b) => a.at - b.at)
    .map(({ policy }) => policy);
}
