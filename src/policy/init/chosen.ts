import type { RequirementKind } from '../schema/requirements.ts';
import type { ThreatModel } from './threat-model.ts';

/** A requirement that a threat model calls for. */
export interface Chosen {
  readonly require: RequirementKind;
  /** The fields beside `require`, as lines of YAML. */
  readonly fields: readonly string[];
  /** Why it is there, in a sentence. */
  readonly because: string;
  /** Whether the candidate stage asks for it, too. */
  readonly early: boolean;
}

/**
 * The requirements for `production` that answers to three questions call for. Thresholds are places to begin, not truths: docs/policy.md says
 * how to find one's own.
 */
export function chosenFor({ attackers, access, stakes, norm }: ThreatModel): readonly Chosen[] {
  const faces = (...which: ThreatModel['attackers'][number][]) =>
    which.some((each) => attackers.includes(each));
  const gives = (...which: ThreatModel['access'][number][]) => which.some((each) => access.includes(each));
  const risks = (...which: ThreatModel['stakes'][number][]) => which.some((each) => stakes.includes(each));
  const samples = risks('safety') ? 1000 : 500;
  const chosen: (Chosen | false)[] = [
    {
      require: 'signature',
      fields: ['signers: [release]'],
      because: 'Nobody can replace the model on its way: what is loaded is what was signed.',
      early: true,
    },
    {
      require: 'scan',
      fields: [],
      because: 'A model file can run code when it is loaded.',
      early: true,
    },
    {
      require: 'secrets',
      fields: [],
      because: 'Keys and passwords that lie in notebooks and configs travel with the model.',
      early: true,
    },
    {
      require: 'cleanAccuracy',
      fields: ['atLeast: 0.9', `samples: ${samples}`],
      because: 'A model that is wrong by itself needs no attacker.',
      early: true,
    },
    (faces('outsider', 'customer') || risks('safety')) && {
      require: 'robustAccuracy',
      fields: [
        'threat: small-change',
        `atLeast: ${risks('safety') ? 0.6 : risks('money') ? 0.5 : 0.4}`,
        // AutoAttack is made for these two norms; for the others the policy leaves the choice open.
        ...(norm === 'linf' || norm === 'l2' ? ['attacks: [autoattack]'] : []),
        `samples: ${samples}`,
      ],
      because: 'Inputs can be changed a little so that the answer is another one.',
      early: false,
    },
    risks('safety') && {
      require: 'findings',
      fields: ['below: high'],
      because: 'A grave finding of the assessment must be dealt with first, a masked gradient among them.',
      early: false,
    },
    risks('privacy') && {
      require: 'membershipInference',
      fields: ['tprAtMost: 0.02', 'atFpr: 0.001', 'samples: 1000'],
      because: 'Answers can give away who was in the training data.',
      early: false,
    },
    risks('privacy') && {
      require: 'privateTraining',
      fields: ['epsilonAtMost: 8', 'deltaAtMost: 1.0e-5', 'fresh: any age'],
      because: 'Only private training bounds what any attacker can learn about one person.',
      early: false,
    },
    risks('money') &&
      gives('labels', 'scores') && {
        require: 'extraction',
        fields: ['fidelityAtMost: 0.9', 'queries: 10000'],
        because: 'Whoever may ask can train a copy on the answers.',
        early: false,
      },
    (faces('supplier', 'insider') || gives('data')) && {
      require: 'backdoor',
      fields: [],
      because: 'Whoever touches data or weights can plant a trigger that nobody sees on clean samples.',
      early: false,
    },
    (faces('supplier', 'insider') || risks('safety')) && {
      require: 'provenance',
      fields: ["builders: ['urn:glacis:*']", 'fresh: any age'],
      because: 'Who made the model, and from what, must be known before it is believed.',
      early: false,
    },
    risks('safety') && {
      require: 'statement',
      fields: ['id: billOfMaterials', "predicateType: 'https://cyclonedx.org/bom'", 'fresh: any age'],
      because: 'When a part turns out to be bad, you must be able to tell which models have it.',
      early: false,
    },
  ];
  return chosen.filter((each) => each !== false);
}
