import type { Policy, StageRequirement } from '../read-policy.ts';
import { DAY } from '../schema/fields.ts';

/** `45 %`, `0.1 %`. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(4))} %`;
}

/** `90 days`, `12 hours`. */
export function lengthOf(ms: number): string {
  const [count, unit] = ms % DAY === 0 ? [ms / DAY, 'day'] : [Math.round((24 * ms) / DAY), 'hour'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** A requirement as one sentence that leaves nothing out. */
export function sentenceFor(requirement: StageRequirement, { threats }: Pick<Policy, 'threats'>): string {
  const { signers, fresh } = requirement;
  const who = `vouched for by ${signers.join(' or ')}`;
  const age = fresh === Number.POSITIVE_INFINITY ? '' : `, at most ${lengthOf(fresh)} old`;
  return `${matterOf(requirement, threats)}, ${requirement.require === 'signature' ? '' : who}${age}`.replace(
    /, $/,
    '',
  );
}

function matterOf(requirement: StageRequirement, threats: Policy['threats']): string {
  switch (requirement.require) {
    case 'signature': {
      const { signers, atLeast = signers.length, postQuantum } = requirement;
      const how = atLeast === signers.length ? signers.join(' and ') : `${atLeast} of ${signers.join(', ')}`;
      return `signed by ${how}${postQuantum ? ', each with a post-quantum signature as well' : ''}`;
    }
    case 'scan':
      return `scanned for code that runs on loading: ${requirement.accept.join(' or ')}`;
    case 'secrets':
      return 'searched for keys and passwords: none';
    case 'cleanAccuracy':
      return `accuracy of at least ${percent(requirement.atLeast)}${boundOf(requirement)}${measuredOn(requirement)}`;
    case 'robustAccuracy':
      return `robust accuracy of at least ${percent(requirement.atLeast)}${boundOf(requirement)} under ${threatOf(requirement.threat, threats)}${measuredOn(requirement)}`;
    case 'certifiedAccuracy':
      return `certified accuracy of at least ${percent(requirement.atLeast)}${boundOf(requirement)} under ${threatOf(requirement.threat, threats)}${measuredOn(requirement)}`;
    case 'membershipInference':
      return `membership inference finds at most ${percent(requirement.tprAtMost)} of members at ${percent(requirement.atFpr)} false alarms${boundOf(requirement)}${measuredOn(requirement)}`;
    case 'extraction':
      return `a stolen copy agrees on at most ${percent(requirement.fidelityAtMost)} of answers${boundOf(requirement)}${requirement.queries === undefined ? '' : ` after ${requirement.queries} questions or more`}${measuredOn(requirement)}`;
    case 'backdoor':
      return `searched for backdoors${requirement.methods ? ` by ${requirement.methods.join(', ')}` : ''}: none found`;
    case 'privateTraining':
      return `private training with epsilon of at most ${requirement.epsilonAtMost} at delta of at most ${requirement.deltaAtMost}`;
    case 'findings':
      return `no finding of ${requirement.below} or graver`;
    case 'provenance':
      return `built by ${requirement.builders.join(' or ')}${requirement.sources ? ` from ${requirement.sources.join(' or ')}` : ''}`;
    case 'statement':
      return `a statement of type ${requirement.predicateType}`;
  }
}

function boundOf({ bound }: { readonly bound: 'confidence' | 'point' }): string {
  return bound === 'confidence' ? ' with 95 % confidence' : '';
}

function threatOf(name: string, threats: Policy['threats']): string {
  const threat = threats[name];
  return threat ? `${name} (${threat.norm}, eps ${Number(threat.eps.toPrecision(4))})` : name;
}

function measuredOn({
  attacks,
  samples,
  data,
}: {
  readonly attacks?: readonly string[] | undefined;
  readonly samples?: number | undefined;
  readonly data?: readonly string[] | undefined;
}): string {
  return [
    ...(attacks ? [` against ${attacks.join(', ')}`] : []),
    ...(samples === undefined ? [] : [` on ${samples} samples or more`]),
    ...(data ? [` of named data sets`] : []),
  ].join('');
}
