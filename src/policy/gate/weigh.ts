import { parseSpecs } from '../../core/options.ts';
import type { AttackRun, Claim, ClaimKind, Measured } from '../evidence/claim.ts';
import { fitsPattern } from '../name-pattern.ts';
import type { Policy, StageRequirement } from '../read-policy.ts';
import { NESTED_NORMS } from '../schema/nested-norms.ts';
import { GRAVITIES } from '../schema/requirements.ts';
import type { ClaimOf } from './decision.ts';
import { percent } from './words.ts';

/** What the claims of one statement are worth for one requirement. */
export type Weight =
  /** They do not answer the question that the policy asks. */
  | { readonly enough: false; readonly why: string }
  /** They answer it. */
  | { readonly enough: true; readonly met: boolean; readonly why: string };

type Of<K extends StageRequirement['require']> = Extract<StageRequirement, { readonly require: K }>;
type Weigher<K extends ClaimKind> = (
  requirement: Of<K>,
  claims: readonly ClaimOf<K>[],
  threats: Policy['threats'],
) => Weight;

const short = (why: string): Weight => ({ enough: false, why });
const answer = (met: boolean, why: string): Weight => ({ enough: true, met, why });

/**
 * One rule a kind of claim. Every comparison is written so that a NaN on either side does not hold, and every claim of a statement must
 * hold, not one of them.
 */
const WEIGHERS: { readonly [K in ClaimKind]: Weigher<K> } = {
  scan: ({ accept }, claims) => {
    const bad = claims.find(({ verdict }) => !(accept as readonly string[]).includes(verdict));
    return answer(bad === undefined, `the scan's verdict is ${(bad ?? claims[0]!).verdict}`);
  },
  secrets: (_, claims) => {
    const found = sum(claims.map((claim) => claim.found));
    const unread = sum(claims.map((claim) => claim.unread));
    const both = `${found} secrets found, ${unread} files that could not be read`;
    return answer(found === 0 && unread === 0, both);
  },
  cleanAccuracy: (required, claims) => {
    const claim = worst(claims, ({ accuracy }) => accuracy.value);
    const lacks = samplesOf(required, claim.samples) ?? dataOf(required, claim.data);
    return lacks ?? atLeast(required, claim.accuracy, `accuracy on ${claim.samples} samples`);
  },
  robustAccuracy: (required, claims, threats) => accuracyUnder(required, claims, threats, 'robust accuracy'),
  certifiedAccuracy: (required, claims, threats) =>
    accuracyUnder(required, claims, threats, 'certified accuracy'),
  membershipInference: (required, claims) => {
    // Allowed more false alarms, an attack finds no fewer members: a higher rate covers the one asked about.
    const rates = claims.map(({ fpr }) => fpr).filter((fpr) => fpr >= required.atFpr * (1 - 1e-9));
    const here = claims.filter(({ fpr }) => fpr === Math.min(...rates));
    if (here.length === 0)
      return short(`it has no true positive rate at a false positive rate of ${percent(required.atFpr)}`);
    const lacks =
      attacksOf(
        required,
        here.map(({ attack }) => attack),
      ) ?? samplesOf(required, Math.min(...here.map(({ samples }) => samples)));
    const most = worst(here, ({ tpr }) => -upper(required, tpr));
    return (
      lacks ?? atMost(required, required.tprAtMost, most.tpr, `true positive rate of ${most.attack.attack}`)
    );
  },
  extraction: (required, claims) => {
    const { queries } = required;
    const strong = claims.filter((claim) => queries === undefined || claim.queries >= queries);
    if (strong.length === 0) return short(`its thief had fewer than ${queries} questions`);
    const lacks = attacksOf(
      required,
      strong.map(({ attack }) => attack),
    );
    // A copy that is good after fewer questions counts all the more.
    const most = worst(claims, ({ fidelity }) => -upper(required, fidelity));
    return lacks ?? atMost(required, required.fidelityAtMost, most.fidelity, `fidelity of the best copy`);
  },
  backdoor: ({ methods = [] }, claims) => {
    const ran = claims.map(({ method }) => method);
    const missing = methods.filter((method) => !ran.includes(method));
    if (missing.length > 0) return short(`${missing.join(', ')} did not run`);
    const bad = claims.find(({ verdict }) => verdict !== 'none-found');
    return answer(bad === undefined, bad ? `${bad.method}: ${bad.verdict}` : `${ran.join(', ')}: none found`);
  },
  privateTraining: ({ epsilonAtMost, deltaAtMost }, claims) => {
    const { epsilon, delta } = worst(claims, (claim) => -claim.epsilon);
    return answer(
      epsilon <= epsilonAtMost && delta <= deltaAtMost,
      `epsilon ${epsilon.toPrecision(4)} at delta ${delta}`,
    );
  },
  findings: ({ below }, claims) => {
    const grave = GRAVITIES.slice(0, GRAVITIES.indexOf(below) + 1) as readonly string[];
    // A severity that this version does not know is as grave as any.
    const bad = claims
      .flatMap(({ severities }) => severities)
      .filter((s) => grave.includes(s) || !(GRAVITIES as readonly string[]).includes(s));
    return answer(
      bad.length === 0,
      bad.length === 0 ? `none of ${below} or graver` : `${bad.length} of ${below} or graver`,
    );
  },
  provenance: ({ builders, sources }, claims) => {
    const stranger = claims.find(({ builder }) => !builders.some((p) => fitsPattern(p, builder)));
    if (stranger) return answer(false, `it was built by ${stranger.builder}`);
    const strange =
      sources &&
      claims.flatMap((claim) => claim.sources).find((s) => !sources.some((p) => fitsPattern(p, s)));
    if (strange !== undefined)
      return answer(false, `it was made from ${strange || 'a source without a name'}`);
    if (sources && claims.every((claim) => claim.sources.length === 0)) return short('it names no sources');
    return answer(true, `built by ${claims[0]!.builder}`);
  },
};

/** What `claims`, all of the kind that `requirement` asks about and at least one, are worth. */
export function weigh(
  requirement: StageRequirement,
  claims: readonly Claim[],
  threats: Policy['threats'],
): Weight {
  const kind = requirement.require as ClaimKind;
  // Sound because the caller gives claims of this kind only.
  const weigher = WEIGHERS[kind] as unknown as Weigher<ClaimKind>;
  return weigher(requirement as never, claims as never, threats);
}

/** The kinds of claims that there is a rule for. */
export const WEIGHED: ReadonlySet<string> = new Set(Object.keys(WEIGHERS));

function accuracyUnder(
  required: Of<'robustAccuracy'> | Of<'certifiedAccuracy'>,
  claims: readonly (ClaimOf<'robustAccuracy'> | ClaimOf<'certifiedAccuracy'>)[],
  threats: Policy['threats'],
  what: string,
): Weight {
  const threat = Object.hasOwn(threats, required.threat) ? threats[required.threat] : undefined;
  if (!threat) return answer(false, `the policy has no threat '${required.threat}'`);
  const { norm, eps } = threat;
  // Eps may have been rounded on its way through a file.
  const same = (claim: { readonly eps: number }) => Math.abs(claim.eps - eps) <= 1e-6 * eps;
  const covering = claims.filter(
    (claim) => claim.norm === norm && (same(claim) || (NESTED_NORMS.has(norm) && claim.eps > eps)),
  );
  if (covering.length === 0) return short(`it says nothing about ${norm} at eps ${eps}`);
  const lacking: string[] = [];
  const fit = covering.filter((claim) => {
    const lacks =
      samplesOf(required, claim.samples) ??
      dataOf(required, claim.data) ??
      ('attacks' in claim ? attacksOf(required as Of<'robustAccuracy'>, claim.attacks) : undefined);
    if (lacks) lacking.push(lacks.why);
    return lacks === undefined;
  });
  if (fit.length === 0) return short(lacking[0]!);
  const nearest = Math.min(...fit.map((claim) => claim.eps));
  const claim = worst(
    fit.filter((each) => each.eps === nearest),
    ({ accuracy }) => accuracy.value,
  );
  return atLeast(
    required,
    claim.accuracy,
    `${what} at ${norm} eps ${round(claim.eps)} on ${claim.samples} samples`,
  );
}

function atLeast(
  { atLeast: limit, bound }: { readonly atLeast: number; readonly bound: 'confidence' | 'point' },
  { value, confidence }: Measured,
  what: string,
): Weight {
  const counted = bound === 'point' ? value : Math.min(value, confidence[0]);
  return answer(counted >= limit, `${what}: ${percent(value)}${intervalOf({ value, confidence })}`);
}

function atMost(
  { bound }: { readonly bound: 'confidence' | 'point' },
  limit: number,
  measured: Measured,
  what: string,
): Weight {
  return answer(
    upper({ bound }, measured) <= limit,
    `${what}: ${percent(measured.value)}${intervalOf(measured)}`,
  );
}

function upper(
  { bound }: { readonly bound: 'confidence' | 'point' },
  { value, confidence }: Measured,
): number {
  return bound === 'point' ? value : Math.max(value, confidence[1]);
}

function intervalOf({ confidence: [low, high] }: Measured): string {
  return low === high ? '' : ` (${percent(low)} to ${percent(high)})`;
}

function samplesOf({ samples }: { readonly samples?: number | undefined }, n: number): Weight | undefined {
  return samples === undefined || n >= samples
    ? undefined
    : short(`it has ${n} samples, ${samples} are required`);
}

function dataOf(
  { data }: { readonly data?: readonly string[] | undefined },
  digest: string | undefined,
): Weight | undefined {
  if (data === undefined || (digest !== undefined && data.includes(digest))) return undefined;
  return short(`its data set (${digest ?? 'unnamed'}) is none of those that count`);
}

function attacksOf(
  { attacks = [] }: { readonly attacks?: readonly string[] | undefined },
  ran: readonly AttackRun[],
): Weight | undefined {
  const missing = attacks.filter((spec) => {
    const [{ name, options } = { name: '', options: {} }] = parseSpecs(spec);
    return !ran.some(
      (run) =>
        run.attack === name &&
        Object.entries(options).every(([key, least]) => {
          const used = Object.hasOwn(run.options, key) ? run.options[key] : undefined;
          return Number.isInteger(least)
            ? typeof used === 'number' && used >= (least as number)
            : used === least;
        }),
    );
  });
  return missing.length === 0 ? undefined : short(`${missing.join(', ')} did not run`);
}

/** The entry with the least value; a NaN is less than any. There is at least one. */
function worst<T>(entries: readonly T[], amountOf: (entry: T) => number): T {
  return entries.reduce((least, entry) => (amountOf(least) <= amountOf(entry) ? least : entry));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
