import { glacisVersion } from '../assess/environment.ts';
import { GlacisError } from '../core/error.ts';
import { evidenceBeside } from '../policy/evidence/evidence-beside.ts';
import { openEvidence } from '../policy/evidence/open-evidence.ts';
import { readEvidence } from '../policy/evidence/read-statement.ts';
import { joinTrust, trustFrom } from '../policy/evidence/trust.ts';
import { decide } from '../policy/gate/decide.ts';
import { readPolicyFile } from '../policy/policy-file.ts';
import { type Policy, unknownStage } from '../policy/read-policy.ts';
import { junitReport } from '../policy/report/junit.ts';
import { nextSteps } from '../policy/report/next-steps.ts';
import { gateSarif } from '../policy/report/sarif.ts';
import { gateText } from '../policy/report/text.ts';
import { visible } from '../report/markup.ts';
import { type Command, EXIT } from './command.ts';
import { wrapped } from './help.ts';
import { prepareFile, writeText } from './output.ts';
import { readKey } from './read-key.ts';

/** `glacis gate`: whether a model has the evidence that a policy asks for. */
export const command: Command = {
  usage: 'gate MODEL --policy glacis.yaml --stage STAGE [--evidence DIR|FILE] [--trust FILE]',
  about:
    'Decides whether a model may pass: every requirement of the policy for this model and stage must be shown by a signed statement about exactly these bytes. Says for each requirement whether it is met, not met or missing, which statement shows it, and what to run next. Without network. Leaves with 1 when the model is refused.',
  options: {
    policy: { value: 'FILE', help: 'the policy; glacis.yaml unless given' },
    stage: { value: 'STAGE', help: 'the stage that the model is to enter, e.g. production' },
    evidence: {
      value: 'PATH',
      help: 'signed statements and signatures, or a folder of them; MODEL.sig, MODEL.pq.sig and MODEL.evidence/ unless given',
      many: true,
    },
    trust: {
      value: 'FILE',
      help: 'public keys and certificates (PEM) or a trusted root of Sigstore (JSON) to check them with; whom to believe is up to the policy',
      many: true,
    },
    name: { value: 'NAME', help: "the model's name for the policy; that of its file unless given" },
    at: { value: 'TIME', help: 'decide for this time (ISO 8601) and not now' },
    'digest-cache': {
      value: 'FILE',
      help: 'remember digests of unchanged files; who can write it can lie',
    },
    json: { value: 'FILE', help: 'the decision as JSON' },
    sarif: { value: 'FILE', help: 'open requirements as SARIF 2.1.0, for code scanning' },
    junit: { value: 'FILE', help: 'the requirements as JUnit XML, for test reports' },
  },
  examples: [
    [
      'glacis gate model.onnx --stage production --evidence evidence/ --trust keys/ci.pub',
      'may it go to production?',
    ],
    [
      'glacis gate model.onnx --stage candidate --trust ci.pub --junit gate.xml --sarif gate.sarif',
      'in a pipeline',
    ],
  ],
  async run({ given, terminal, signal }) {
    const [model, ...rest] = given.positionals;
    if (model === undefined || rest.length > 0)
      throw new GlacisError('option/invalid', `gate: expected one MODEL, got ${given.positionals.length}`);
    const stage = given.text('stage');
    if (stage === undefined)
      throw new GlacisError('option/invalid', '--stage: expected the stage to enter, got nothing');
    const outputs = { json: given.text('json'), sarif: given.text('sarif'), junit: given.text('junit') };
    for (const file of Object.values(outputs)) if (file !== undefined) await prepareFile(file);
    const file = given.text('policy') ?? 'glacis.yaml';
    const { policy, digest } = await readPolicyFile(file);
    if (!policy.entries.some(({ stages }) => Object.hasOwn(stages, stage))) throw unknownStage(policy, stage);
    const now = given.time('at') ?? Date.now();
    const opened = await openEvidence(model, {
      paths: given.texts('evidence').length > 0 ? given.texts('evidence') : await evidenceBeside(model),
      trust: await trustIn(given.texts('trust'), policy, now),
      name: given.text('name'),
      digestCache: given.text('digest-cache'),
      signal,
      progress: terminal.progress,
    });
    for (const warning of opened.warnings) terminal.say(`Warning: ${warning}`);
    const decision = decide(policy, {
      model: opened.model,
      stage,
      evidence: readEvidence(opened.statements),
      now,
    });
    const next = nextSteps(policy, stage, decision.requirements, {
      model,
      evidence: given.texts('evidence')[0] ?? `${model.replace(/\/+$/, '')}.evidence`,
    });
    if (outputs.json !== undefined)
      await writeText(
        outputs.json,
        `${JSON.stringify({ ...decision, policy: { file, digest }, next }, null, 2)}\n`,
      );
    if (outputs.sarif !== undefined)
      await writeText(outputs.sarif, gateSarif(decision, file, glacisVersion()));
    if (outputs.junit !== undefined) await writeText(outputs.junit, junitReport(decision));
    const wrap = (text: string, indent: number) => wrapped(text, Math.max(40, terminal.width - indent));
    terminal.print(visible(gateText(decision, next, wrap)));
    return decision.decision === 'let-through' ? EXIT.good : EXIT.negative;
  },
};

/** Whom to check evidence with: keys, certificates and roots from files, and the identities that the policy names. Errors: those of reading keys. */
export async function trustIn(files: readonly string[], policy: Policy, now: number) {
  const read = await Promise.all(files.map(async (path) => trustFrom(await readKey(path), path)));
  const identities = Object.values(policy.signers).flatMap(({ sigstore }) => (sigstore ? [sigstore] : []));
  return { ...joinTrust(read), identities, at: new Date(now) };
}
