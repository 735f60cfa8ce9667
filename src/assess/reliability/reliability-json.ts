import { NORMS } from '../../threat/norm.ts';
import {
  amount,
  count,
  type Check as JsonCheck,
  list,
  name,
  object,
  one,
  optional,
  rule,
} from '../json-check.ts';
import { CHECK_IDS, CHECK_VERDICTS, type Check, type Reliability } from './reliability.ts';

const yesOrNo = rule('true or false', (v) => typeof v === 'boolean');

const check = object({
  id: one(CHECK_IDS),
  title: name,
  verdict: one(CHECK_VERDICTS),
  evidence: name,
  masking: yesOrNo,
  heeded: optional(yesOrNo),
  remedy: optional(name),
});

/** A {@link Reliability} as it stands in a result file, its parts held against each other. */
export const reliabilityCheck: JsonCheck = object(
  {
    norm: one(NORMS),
    eps: amount,
    samples: count,
    checks: list(check, CHECK_IDS.length),
    masked: yesOrNo,
    queries: count,
    gradientQueries: count,
    seconds: amount,
  },
  joined,
);

/** Sound because a file could otherwise call a model unmasked against its own checks, or leave out the one that tells. */
function joined({ checks, masked }: Reliability): string | undefined {
  const missing = CHECK_IDS.find((id) => checks.filter((one) => one.id === id).length !== 1);
  if (missing !== undefined) return `expected the check ${missing} once, got it otherwise`;
  const isMasked = checks.some((one: Check) => one.masking && one.verdict === 'suspicious');
  return masked === isMasked
    ? undefined
    : `expected masked to be ${isMasked}, as the checks say, got ${masked}`;
}
