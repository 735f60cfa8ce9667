import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { type DescribedValue, describeModel } from '../onnx/describe.ts';
import { readModel } from '../onnx/read.ts';
import { visible } from '../report/markup.ts';
import { type BomNetwork, billOfMaterials, isResult } from '../supply/bom/bill-of-materials.ts';
import type { Fields } from '../supply/sign/json-fields.ts';
import { rootDigest } from '../supply/sign/manifest.ts';
import { readManifest } from '../supply/sign/read-manifest.ts';
import { type Command, EXIT } from './command.ts';
import { HASHING_OPTIONS, hashingFrom } from './hashing-options.ts';
import { prepareFile, writeText } from './output.ts';
import { ownFiles } from './sign.ts';

/** `glacis bom`: what a model consists of and came from, as CycloneDX. */
export const command: Command = {
  usage: 'bom MODEL [--result FILE] [--out FILE]',
  about:
    'Writes a machine-learning bill of materials (CycloneDX 1.7): the model with its digest, files, inputs and outputs, and, from results of Glacis, the data it was made with and how accurate and robust it is.',
  options: {
    result: { value: 'FILE', help: 'an assessment or a training record about this model, JSON', many: true },
    out: { value: 'FILE', help: 'where the bill goes; bom.cdx.json unless given' },
    'ignore-paths': HASHING_OPTIONS['ignore-paths']!,
    'no-ignore-git-paths': HASHING_OPTIONS['no-ignore-git-paths']!,
    'allow-symlinks': HASHING_OPTIONS['allow-symlinks']!,
    threads: HASHING_OPTIONS.threads!,
  },
  examples: [
    ['glacis bom model.onnx --result glacis-out/assessment.json', 'a bill with what an assessment found'],
    ['glacis attest key bom.cdx.json --model model.onnx --private-key key.pem', 'sign it'],
  ],
  async run({ given, terminal, signal }) {
    const [path, ...rest] = given.positionals;
    if (path === undefined || rest.length > 0)
      throw new GlacisError('option/invalid', `bom: expected one MODEL, got ${given.positionals.length}`);
    const out = given.text('out') ?? 'bom.cdx.json';
    await prepareFile(out);
    const results = await Promise.all(given.texts('result').map(readResult));
    const hashing = await hashingFrom(given, path);
    const { manifest } = await readManifest(path, {
      ...hashing,
      ignorePaths: [
        ...(hashing.ignorePaths ?? []),
        ...(await ownFiles(path, [out, ...given.texts('result')])),
      ],
      signal,
      progress: terminal.progress,
    });
    const networks = manifest.resources.filter(({ name }) => name === '.' || name.endsWith('.onnx'));
    const [only] = networks;
    const network =
      networks.length === 1
        ? await networkAt(only!.name === '.' ? path : join(path, only!.name), signal)
        : undefined;
    const digest = `sha256:${rootDigest(manifest.resources)}`;
    const bill = billOfMaterials({
      name: manifest.name,
      digest,
      files: manifest.resources.map(({ name, digest }) => ({ name, sha256: digest })),
      ...(network ? { network } : {}),
      results,
      version: (
        JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
          version: string;
        }
      ).version,
      now: new Date(),
    });
    await writeText(out, `${JSON.stringify(bill, null, 2)}\n`);
    terminal.print(`${digest}  ${visible(manifest.name)}\n`);
    terminal.say(`Bill of materials: ${out}`);
    return EXIT.good;
  },
};

async function readResult(path: string): Promise<Fields> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (thrown) {
    throw asGlacisError(thrown, 'statement/invalid', path);
  }
  if (!isResult(json))
    throw new GlacisError('statement/invalid', `${path}: expected a JSON result of Glacis, got another file`);
  return json;
}

/** What the ONNX file says of itself; nothing where the file is another kind of model. */
async function networkAt(path: string, signal: AbortSignal): Promise<BomNetwork | undefined> {
  if (!/\.onnx$/i.test(path)) return undefined;
  const { inputs, outputs, parameters, opsets, producer } = describeModel(
    await readModel(path, { external: 'keep', signal }),
  );
  const tensor = ({ name, type, dims }: DescribedValue) => ({
    name,
    format: `${type}${dims === null ? ', shape unknown' : `[${dims.map((d) => d ?? '?').join(', ')}]`}`,
  });
  return { inputs: inputs.map(tensor), outputs: outputs.map(tensor), parameters, opsets, producer };
}
