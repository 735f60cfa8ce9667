import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { visible } from '../report/markup.ts';
import {
  type AttestOptions,
  PREDICATES,
  type PredicateName,
  statementFrom,
  subjectOf,
} from '../supply/provenance/from-result.ts';
import { type StatementSubject, signStatement } from '../supply/provenance/statement.ts';
import { rootDigest } from '../supply/sign/manifest.ts';
import { type ManifestOptions, readManifest } from '../supply/sign/read-manifest.ts';
import type { Given } from './args.ts';
import { type Command, EXIT } from './command.ts';
import { HASHING_OPTIONS, hashingFrom } from './hashing-options.ts';
import { prepareFile, writeText } from './output.ts';
import { ownFiles } from './sign.ts';
import { SIGNER_OPTIONS, SIGNING_METHODS, signerFrom } from './signer-from.ts';

/** `glacis attest`: a signed statement about a model, made of a result. */
export const command: Command = {
  usage: 'attest METHOD RESULT [--model MODEL] [--out FILE]',
  about: `Makes an in-toto statement about a model from a JSON result of Glacis (or a CycloneDX bill of materials) and signs it: provenance from a training record, a verification summary from a decision of the gate, a Simple Verification Result from all others. METHOD is ${SIGNING_METHODS.join(', ')}, as for sign.`,
  options: {
    model: {
      value: 'MODEL',
      help: 'the model that the result is about, a file or a folder; results of scan and secrets say it themselves',
    },
    out: { value: 'FILE', help: 'where the statement goes; RESULT with .statement.json unless given' },
    as: {
      value: 'NAME',
      help: `${Object.keys(PREDICATES).join(', ')}; what goes with the result unless given`,
    },
    policy: { value: 'FILE', help: 'the policy behind a decision of the gate' },
    ...SIGNER_OPTIONS,
    ...HASHING_OPTIONS,
  },
  examples: [
    [
      'glacis attest key glacis-out/assessment.json --model model.onnx --private-key key.pem',
      'sign an assessment',
    ],
    [
      'glacis attest key model.training.json --model model.onnx --private-key key.pem',
      'sign how it was trained',
    ],
  ],
  async run({ given, terminal, signal }) {
    const [method, path, ...rest] = given.positionals;
    if (method === undefined || path === undefined || rest.length > 0)
      throw new GlacisError(
        'option/invalid',
        `attest: expected METHOD RESULT, got '${given.positionals.join(' ')}'`,
      );
    const out = given.text('out') ?? `${path.replace(/\.json$/, '')}.statement.json`;
    await prepareFile(out);
    const signer = await signerFrom(method, given, { terminal, signal });
    const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
      throw asGlacisError(thrown, 'statement/invalid', path);
    });
    const subject =
      (await modelFrom(given, [out, path], { signal, progress: terminal.progress })) ?? subjectOf(text);
    if (subject === undefined)
      throw new GlacisError(
        'option/invalid',
        '--model: expected the model that the result is about, because the result does not say; got nothing',
      );
    const statement = statementFrom(text, subject, await optionsFrom(given));
    await writeText(out, await signStatement(statement, signer));
    terminal.print(
      `${subject.digest}  ${visible(subject.name)}\n${statement.predicateType} signed by ${visible(signer.who)}\n`,
    );
    terminal.say(`Statement: ${out}`);
    return EXIT.good;
  },
};

/** The model of `--model`, hashed without the command's own files; `undefined` where none is given. */
async function modelFrom(
  given: Given,
  own: readonly string[],
  run: Pick<ManifestOptions, 'signal' | 'progress'>,
): Promise<StatementSubject | undefined> {
  const model = given.text('model');
  if (model === undefined) return undefined;
  const hashing = await hashingFrom(given, model);
  const ignorePaths = [...(hashing.ignorePaths ?? []), ...(await ownFiles(model, own))];
  const { manifest } = await readManifest(model, { ...hashing, ignorePaths, ...run });
  const digest = `sha256:${rootDigest(manifest.resources)}`;
  const whole = manifest.serialization.method === 'files' && manifest.serialization.hashType === 'sha256';
  return {
    name: manifest.name,
    digest,
    files: whole ? manifest.resources.map((each) => `sha256:${each.digest}`) : [],
  };
}

async function optionsFrom(given: Given): Promise<AttestOptions> {
  const policy = given.text('policy');
  const bytes =
    policy === undefined
      ? undefined
      : await readFile(policy).catch((thrown: unknown) => {
          throw asGlacisError(thrown, 'statement/invalid', policy);
        });
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return {
    as: given.choice('as', Object.keys(PREDICATES) as PredicateName[]),
    version: (JSON.parse(manifest) as { version: string }).version,
    now: new Date(),
    ...(policy !== undefined && bytes
      ? { policy: { uri: policy, digest: createHash('sha256').update(bytes).digest('hex') } }
      : {}),
  };
}
