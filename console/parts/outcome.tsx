import type { Decision } from '../../src/gateway/decision.ts';
import { Badge } from './badge.tsx';
import { titled } from './format.ts';

/** What may become of a call, as a person says it; the log has the keys. */
export const OUTCOMES: Readonly<Record<Decision['outcome'], string>> = {
  answered: 'Answered',
  held: 'Held for review',
  throttled: 'Too many requests',
  exhausted: 'Budget used up',
  unacceptable: 'Refused by a guard',
  mismatched: 'Did not fit the model',
  malformed: 'Not understood',
  encoding: 'Encoding not known',
  'too-large': 'Too large',
  unauthenticated: 'No valid key',
  unknown: 'Not allowed',
  unavailable: 'Not available',
  late: 'Too late',
  failed: 'Failed',
};

const TONES: Readonly<Record<string, 'held' | 'warn'>> = { answered: 'held', held: 'warn' };

/** An outcome's words; one that is not known as the log has it. */
export function outcomeWords(outcome: string): string {
  return Object.hasOwn(OUTCOMES, outcome)
    ? OUTCOMES[outcome as Decision['outcome']]
    : titled(outcome.slice(0, 40));
}

/** What became of a call. */
export function Outcome({ of }: { readonly of: string }) {
  return <Badge tone={TONES[of] ?? 'changed'}>{outcomeWords(of)}</Badge>;
}

/** What a guard did, in the past. */
export const GUARD_DID: Readonly<Record<string, string>> = {
  pass: 'passed',
  flag: 'flagged',
  degrade: 'told less',
  refuse: 'refused',
};
