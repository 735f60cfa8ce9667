import { BILL_OF_MATERIALS } from '../evidence/statement.ts';
import type { Answer } from '../gate/decision.ts';
import type { Policy, StageRequirement } from '../read-policy.ts';

/** What to run so that a requirement is met, and a word on it where commands alone do not do. */
export interface NextStep {
  readonly id: string;
  readonly commands: readonly string[];
  readonly hint?: string;
}

/** The names that commands are written with; what stands in capitals is for the reader to fill in. */
export interface NextFrom {
  /** The model as it was named on the command line. */
  readonly model: string;
  /** The folder for evidence. */
  readonly evidence: string;
}

/**
 * What to run for each requirement that is neither met nor excepted. Options are those that the policy asks for; the key and the data
 * are the reader's.
 */
export function nextSteps(
  policy: Policy,
  stage: string,
  answers: readonly Answer[],
  from: NextFrom,
): readonly NextStep[] {
  const all = policy.entries.flatMap((entry) =>
    (Object.hasOwn(entry.stages, stage) ? entry.stages[stage]! : []).map((requirement) => ({
      entry,
      requirement,
    })),
  );
  return answers
    .filter(({ state }) => state === 'missing' || state === 'not-met')
    .flatMap((answer) => {
      const found = all.find(
        ({ entry, requirement }) =>
          requirement.id === answer.id && (entry.name ?? entry.digest) === answer.entry,
      );
      return found ? [{ id: answer.id, ...stepFor(found.requirement, policy, from) }] : [];
    });
}

function stepFor(
  requirement: StageRequirement,
  { threats }: Policy,
  { model, evidence }: NextFrom,
): Omit<NextStep, 'id'> {
  const file = quoted(model);
  const result = (name: string) => quoted(`${name}.json`);
  const attestFile = (json: string, name: string, as = '') =>
    `glacis attest key ${quoted(json)} --model ${file} --private-key KEY.pem${as} --out ${quoted(`${evidence}/${name}.json`)}`;
  const attest = (name: string) => attestFile(`${name}.json`, name);
  const assess = (options: string) => [
    `glacis assess ${file} --data DATA${options} --json ${result('assessment')}`,
    attest('assessment'),
  ];
  const record = `${model.replace(/\.onnx$/i, '')}.training.json`;
  const n = (samples: number | undefined) => (samples === undefined ? '' : ` --n ${samples}`);
  switch (requirement.require) {
    case 'signature':
      return {
        commands: [
          `glacis sign key ${file} --private-key KEY.pem --signature ${quoted(`${evidence}/NAME.sig`)}`,
        ],
        hint: `each of ${requirement.signers.join(', ')} signs with their own key${requirement.postQuantum ? ', and with their post-quantum key' : ''}`,
      };
    case 'scan':
      return { commands: [`glacis scan ${file} --json ${result('scan')}`, attest('scan')] };
    case 'secrets':
      return { commands: [`glacis secrets ${file} --json ${result('secrets')}`, attest('secrets')] };
    case 'cleanAccuracy':
      return { commands: assess(n(requirement.samples)) };
    case 'robustAccuracy': {
      const threat = threats[requirement.threat];
      const attacks = requirement.attacks ? ` --attacks ${quoted(requirement.attacks.join(','))}` : '';
      const ball = threat ? ` --norm ${threat.norm} --eps ${Number(threat.eps.toPrecision(15))}` : '';
      return {
        commands: assess(`${ball}${attacks}${n(requirement.samples)}`),
        hint: 'where the model is too weak, `glacis harden` trains it against the threat',
      };
    }
    case 'findings':
      return { commands: assess(''), hint: 'each finding says what to do about it' };
    case 'privateTraining':
      return {
        commands: [
          `glacis train --epsilon ${requirement.epsilonAtMost} --delta ${requirement.deltaAtMost} …`,
          attestFile(record, 'training', ' --as svr'),
        ],
        hint: 'training makes a new model, which needs its other evidence anew',
      };
    case 'provenance':
      return {
        commands: [attestFile(record, 'provenance')],
        hint: `the record of its training, or a SLSA statement of ${requirement.builders.join(' or ')}`,
      };
    case 'certifiedAccuracy':
    case 'membershipInference':
    case 'extraction':
    case 'backdoor':
      return {
        commands: [attest('measures')],
        hint: 'no command of Glacis measures this yet: sign what another tool measured as glacis.measures/1 (docs/policy.md)',
      };
    case 'statement':
      return {
        commands: requirement.predicateType === BILL_OF_MATERIALS ? [attestFile('BOM.json', 'bom')] : [],
        hint: `an in-toto statement of type ${requirement.predicateType} about the model`,
      };
  }
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
