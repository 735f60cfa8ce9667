import { z } from 'zod';
import { THREAT_NORMS } from '../../threat/threat-norms.ts';
import {
  above0,
  digest,
  duration,
  fraction,
  ownName,
  pattern,
  positive,
  several,
  size,
  words,
} from './fields.ts';

/** A threat: what an attacker may change, and by how much. */
export const threat = z
  .strictObject({
    norm: z
      .enum(THREAT_NORMS, { error: `one of ${THREAT_NORMS.join(', ')}` })
      .describe('What a change of the input is measured in.'),
    eps: size.describe("Radius in the model's input units, as a number or a fraction such as 8/255."),
  })
  .describe('What an attacker may change in an input, and by how much.');

/** Worst findings that a policy may put up with, the gravest first. */
export const GRAVITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;

const shared = {
  id: ownName
    .optional()
    .describe('Name for exceptions and reports; the kind of requirement unless given. Once in a stage.'),
  signers: several(ownName)
    .optional()
    .describe('Who may vouch for this, by the names under `signers`; those of `defaults` unless given.'),
};
const dated = {
  ...shared,
  fresh: duration
    .optional()
    .describe('How old the evidence may be, e.g. `90 days`; that of `defaults` unless given.'),
};
const bound = z
  .enum(['confidence', 'point'], { error: 'confidence or point' })
  .default('confidence')
  .describe(
    'What is held against the threshold: the unfavourable end of the 95 % confidence interval, or the measured value alone.',
  );
const samples = positive.optional().describe('Samples that were measured, at least.');
const data = several(digest)
  .optional()
  .describe('Digests of data sets that count; any unless given. Evidence on easy samples is weak evidence.');
const attackSpec = z.string().regex(/^[a-z][a-z0-9-]*(\([^()\p{Cc}]{1,200}\))?$/u, {
  error: 'an attack such as autoattack or pgd(steps=40)',
});
const attacks = several(attackSpec)
  .optional()
  .describe(
    'Attacks that must have been among those run, e.g. `autoattack` or `pgd(steps=40, restarts=5)`: whole numbers are minimums, other options must be equal.',
  );
const atLeast = (what: string) => fraction.describe(`${what}, at least, as a share (0.45 is 45 %).`);
const atMost = (what: string) => fraction.describe(`${what}, at most, as a share.`);
const threatName = ownName.describe('A threat by its name under `threats`.');

/** The requirement kinds, each with its fields: the one source of types, checks, the JSON Schema and docs/policy.md. */
export const requirement = z.discriminatedUnion('require', [
  z
    .strictObject({
      require: z.literal('signature'),
      ...shared,
      atLeast: positive
        .optional()
        .describe('How many of `signers` must have signed; all of them unless given.'),
      postQuantum: z
        .boolean({ error: 'true or false' })
        .default(false)
        .describe('Whether each of them must have signed with their `postQuantumKey` (ML-DSA) as well.'),
    })
    .describe('The model is signed by k of n named signers, and its files are those that they signed.'),
  z
    .strictObject({
      require: z.literal('scan'),
      ...dated,
      accept: several(
        z.enum(['clean', 'suspicious'], {
          error: 'clean or suspicious; files that are malicious or unreadable are never let through',
        }),
      )
        .default(['clean'])
        .describe('Verdicts that are let through. `malicious` and `unreadable` cannot be written here.'),
    })
    .describe('A scan of the model for code that runs when it is loaded.'),
  z
    .strictObject({ require: z.literal('secrets'), ...dated })
    .describe(
      'A search for keys and passwords that found none beyond its baseline, and could read every file.',
    ),
  z
    .strictObject({
      require: z.literal('cleanAccuracy'),
      ...dated,
      atLeast: atLeast('Accuracy without an attack'),
      bound,
      samples,
      data,
    })
    .describe('Accuracy on samples that nobody changed.'),
  z
    .strictObject({
      require: z.literal('robustAccuracy'),
      ...dated,
      threat: threatName,
      atLeast: atLeast('Accuracy that is left against the worst of all attacks'),
      bound,
      attacks,
      samples,
      data,
    })
    .describe(
      'Accuracy that is left under attack, sample by sample against the worst of all attacks that were run.',
    ),
  z
    .strictObject({
      require: z.literal('certifiedAccuracy'),
      ...dated,
      threat: threatName,
      atLeast: atLeast('Share of samples whose right answer is proven to stay'),
      bound,
      samples,
      data,
    })
    .describe('Share of samples for which no example of the threat exists, by proof.'),
  z
    .strictObject({
      require: z.literal('membershipInference'),
      ...dated,
      tprAtMost: atMost('True positive rate of the best attack'),
      atFpr: fraction
        .gt(0, { error: 'a number above 0 and at most 1' })
        .describe('The false positive rate at which it is read, e.g. 0.001.'),
      bound,
      attacks,
      samples,
    })
    .describe('How well an attacker can tell who was in the training data.'),
  z
    .strictObject({
      require: z.literal('extraction'),
      ...dated,
      fidelityAtMost: atMost('Share of answers in which the best copy agrees with the model'),
      queries: positive.optional().describe('Questions that the thief was allowed, at least.'),
      bound,
      attacks,
    })
    .describe('How good a copy of the model can be made by asking it.'),
  z
    .strictObject({
      require: z.literal('backdoor'),
      ...dated,
      methods: several(ownName).optional().describe('Detectors that must have been among those run.'),
    })
    .describe('A search for backdoors that came to a verdict and found none.'),
  z
    .strictObject({
      require: z.literal('privateTraining'),
      ...dated,
      epsilonAtMost: above0.describe('Epsilon of all private training runs on the data together, at most.'),
      deltaAtMost: above0
        .lt(1, { error: 'a number above 0 and below 1' })
        .describe('Delta, at most; it should be below one over the number of samples.'),
    })
    .describe('A training whose differential privacy was accounted for.'),
  z
    .strictObject({
      require: z.literal('findings'),
      ...dated,
      below: z
        .enum(GRAVITIES, { error: `one of ${GRAVITIES.join(', ')}` })
        .describe('Assessments may have findings that are less grave than this only.'),
    })
    .describe('The newest assessment has no finding as grave as this or graver.'),
  z
    .strictObject({
      require: z.literal('provenance'),
      ...dated,
      builders: several(pattern).describe(
        'Who may have made the model: SLSA builder ids, * for any characters.',
      ),
      sources: several(pattern)
        .optional()
        .describe('Where code or data may have come from; each source of the statement must match one.'),
    })
    .describe('A statement on how the model was made (SLSA provenance).'),
  z
    .strictObject({
      require: z.literal('statement'),
      ...dated,
      predicateType: words.describe('Type of the statement, e.g. https://cyclonedx.org/bom.'),
    })
    .describe('Any in-toto statement of this type about the model, such as a bill of materials.'),
]);

/** A requirement as it was read: defaults filled in. */
export type Requirement = z.output<typeof requirement>;

/** One of the kinds of {@link Requirement}. */
export type RequirementKind = Requirement['require'];

/** The kinds, in the order in which they are shown. */
export const REQUIREMENT_KINDS: readonly RequirementKind[] = requirement.options.map(
  (option) => option.shape.require.value,
);
