import type { Evidence } from '../evidence/read-statement.ts';
import { MODEL_SIGNATURE } from '../evidence/statement.ts';
import { fitsPattern } from '../name-pattern.ts';
import type { Policy, PolicyEntry, StageRequirement } from '../read-policy.ts';
import {
  type Answer,
  type Decision,
  GATE_SCHEMA,
  type Ignored,
  type Outcome,
  type Rejected,
  type Shown,
} from './decision.ts';
import type { GateModel, GateQuestion } from './question.ts';
import { signatures } from './signatures.ts';
import { isAbout, isPostQuantumOf, signedBy, wordsOf } from './signer-identity.ts';
import { WEIGHED, weigh } from './weigh.ts';
import { lengthOf, sentenceFor } from './words.ts';

/** How far two machines' clocks may be apart. */
const CLOCK_SLACK = 5 * 60_000;

/**
 * Decides whether a model may pass: whether each requirement of the policy for this model and stage is met by a verified statement about
 * exactly this model, made by a signer whom the requirement names, not in the future and not too old, that answers the requirement's
 * question. Where several do, the newest decides. Pure: the same question has the same answer. It never throws for what evidence holds, and
 * whatever it does not know is not met: no matching entry, an unknown requirement, an unreadable statement, a NaN.
 */
export function decide(policy: Policy, question: GateQuestion): Decision {
  const { stage, evidence, now } = question;
  const model = { ...question.model, roots: knownRoots(policy, question) };
  const entries = policy.entries.filter((entry) => matches(entry, model));
  const asked = entries.flatMap((entry) =>
    (Object.hasOwn(entry.stages, stage) ? entry.stages[stage]! : []).map((requirement) => ({
      entry,
      requirement,
    })),
  );
  const answers =
    asked.length === 0
      ? [uncovered(entries.length > 0, model, stage)]
      : asked.map(({ entry, requirement }) =>
          withException(policy, answerTo(policy, entry, requirement, { model, stage, evidence, now }), {
            model,
            stage,
            now,
          }),
        );
  const passes = answers.length > 0 && answers.every(({ state }) => state === 'met' || state === 'excepted');
  return {
    schema: GATE_SCHEMA,
    model: { name: model.name, digests: model.roots },
    stage,
    at: new Date(now).toISOString(),
    decision: passes ? 'let-through' : 'refused',
    requirements: answers,
    ignored: evidence.flatMap((each) => ignoredOf(each, model)),
  };
}

/**
 * The digests that the model is known by: its own, and those of signatures over its very files. The latter only from signers of the policy:
 * a root digest holds no names, so whoever could add one could let statements about other files of the same contents count.
 */
function knownRoots(policy: Policy, { model, evidence }: GateQuestion): readonly string[] {
  const signed = evidence.flatMap(({ statement: { check, predicateType, filesMatch, subjects } }) =>
    check.verified === true &&
    filesMatch === true &&
    predicateType === MODEL_SIGNATURE &&
    Object.keys(policy.signers).some(
      (name) => signedBy(policy, name, check.by) || isPostQuantumOf(policy.signers[name], check.by),
    )
      ? subjects
      : [],
  );
  return [...new Set([...model.roots, ...signed])];
}

function matches({ name, digest }: Pick<PolicyEntry, 'name' | 'digest'>, model: GateModel): boolean {
  if (digest !== undefined) return model.roots.includes(digest);
  return name !== undefined && fitsPattern(name, model.name);
}

function uncovered(known: boolean, { name }: GateModel, stage: string): Answer {
  return {
    id: 'policy',
    require: 'policy',
    entry: '',
    says: `the policy says what '${name}' needs for ${stage}`,
    state: 'not-met',
    why: known ? `no entry that fits it has the stage '${stage}'` : 'no entry fits its name or its digest',
    shownBy: [],
    rejected: [],
  };
}

function ignoredOf(each: Evidence, model: GateModel): readonly Ignored[] {
  const { file, check } = each.statement;
  if ('problem' in each) return [{ file, why: each.problem }];
  if (check.verified !== true) return [{ file, why: 'not verified' }];
  if (isAbout(each.statement, model)) return [];
  const stranger = each.statement.filesMatch === true;
  return [
    {
      file,
      why: stranger ? 'a signature of somebody whom the policy does not name' : 'it is about another model',
    },
  ];
}

function answerTo(
  policy: Policy,
  entry: PolicyEntry,
  requirement: StageRequirement,
  question: GateQuestion,
): Answer {
  const { id, require } = requirement;
  const base = { id, require, entry: entry.name ?? entry.digest ?? '' };
  if (require === 'signature')
    return { ...base, says: sentenceFor(requirement, policy), ...signatures(policy, requirement, question) };
  if (require !== 'statement' && !WEIGHED.has(require))
    // A policy that was not read by parsePolicy, or a kind that only a newer version knows.
    return {
      ...base,
      says: `'${require}', which this version does not know`,
      state: 'not-met',
      why: 'nothing can show it',
      shownBy: [],
      rejected: [],
    };
  return { ...base, says: sentenceFor(requirement, policy), ...evidenced(policy, requirement, question) };
}

/** Whether what was looked at is the model: as a whole, or each of its files. */
function covers(looked: ReadonlySet<string>, { roots, files }: GateModel): boolean {
  return roots.some((root) => looked.has(root)) || files.every((file) => looked.has(file));
}

/** Requirements that one statement can meet. */
function evidenced(
  policy: Policy,
  requirement: StageRequirement,
  { model, evidence, now }: GateQuestion,
): Outcome {
  const rejected: Rejected[] = [];
  const fit: { readonly time: number; readonly met: boolean; readonly why: string; readonly shown: Shown }[] =
    [];
  for (const each of evidence) {
    const { statement } = each;
    if ('problem' in each || statement.check.verified !== true || !isAbout(statement, model)) continue;
    const { reading } = each;
    const claims = reading.claims.filter(({ kind }) => kind === requirement.require);
    if (
      requirement.require === 'statement'
        ? statement.predicateType !== requirement.predicateType
        : claims.length === 0
    )
      continue;
    const reject = (code: Rejected['code'], why: string) => {
      rejected.push({ file: statement.file, code, why });
    };
    const by = statement.check.by;
    const signer = requirement.signers.find((name) => signedBy(policy, name, by));
    if (signer === undefined) {
      reject('signer', `signed by ${wordsOf(by)}, who may not vouch for this`);
      continue;
    }
    if (reading.looked !== undefined && ![...model.files, ...model.roots].includes(reading.looked)) {
      reject('other-file', `it looked at ${reading.looked}, which is no file of this model`);
      continue;
    }
    if (reading.covered !== undefined && !covers(new Set(reading.covered), model)) {
      reject('other-file', 'it did not look at every file of this model');
      continue;
    }
    const { time } = reading;
    if (time === undefined && requirement.fresh !== Number.POSITIVE_INFINITY) {
      reject('undated', 'it does not say when it was made');
      continue;
    }
    if (time !== undefined && !(time <= now + CLOCK_SLACK)) {
      reject('future', `it was made at ${iso(time)}, which is yet to come; is a clock wrong?`);
      continue;
    }
    if (time !== undefined && !(now - time <= requirement.fresh)) {
      reject('stale', `it was made at ${iso(time)}, more than ${lengthOf(requirement.fresh)} ago`);
      continue;
    }
    const weight =
      requirement.require === 'statement'
        ? { enough: true as const, met: reading.refuses === undefined, why: reading.refuses ?? 'it is there' }
        : weigh(requirement, claims, policy.threats);
    if (!weight.enough) {
      reject('insufficient', [weight.why, ...reading.notes].join('; '));
      continue;
    }
    fit.push({
      time: time ?? Number.NEGATIVE_INFINITY,
      met: weight.met,
      why: [weight.why, ...reading.notes].join('; '),
      shown: {
        file: statement.file,
        digest: statement.digest,
        signer,
        ...(time === undefined ? {} : { time: iso(time) }),
      },
    });
  }
  // The newest decides; of two of the same time, the one that does not meet it.
  const [newest] = fit.toSorted((a, b) => b.time - a.time || Number(a.met) - Number(b.met));
  if (newest)
    return {
      state: newest.met === true ? 'met' : 'not-met',
      why: newest.why,
      shownBy: [newest.shown],
      rejected,
    };
  return rejected.length > 0
    ? { state: 'not-met', why: rejected[0]!.why, shownBy: [], rejected }
    : { state: 'missing', why: 'no verified statement about this model speaks of it', shownBy: [], rejected };
}

function withException(
  { exceptions }: Policy,
  answer: Answer,
  { model, stage, now }: Pick<GateQuestion, 'model' | 'stage' | 'now'>,
): Answer {
  if (answer.state === 'met' || answer.state === 'excepted') return answer;
  const about = exceptions.filter(
    (each) =>
      each.requirement === answer.id &&
      each.stage === stage &&
      (fitsPattern(each.model, model.name) || model.roots.includes(each.model)),
  );
  const valid = about.find(({ until }) => now <= until.end);
  const [named] = valid ? [valid] : about;
  if (!named) return answer;
  const { reason, owner, until } = named;
  const exception = { reason, owner, until: until.text };
  return valid
    ? { ...answer, state: 'excepted', otherwise: answer.state, exception }
    : { ...answer, exception, why: `${answer.why}; the exception of ${owner} ended on ${until.text}` };
}

function iso(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString() : 'no time at all';
}
