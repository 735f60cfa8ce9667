import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { writeNpz } from '../../../src/data/index.ts';
import { renderSplit, SIGN_SHAPE } from '../../../src/data/traffic-signs/render.ts';
import { glacis } from '../../end-to-end/cli.ts';

const PICTURES = 64;

/** Runs the program, and expects that it works. */
export async function run(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await glacis(args, { cwd: folder });
  expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
  return stdout;
}

/** What a file is called by those who keep it: its SHA-256. */
export async function digestOf(path: string): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')}`;
}

/**
 * Models whose training data are known, each by another kind of evidence: beside `recorded.onnx` lies the record that training left, beside `attested.onnx` a signed statement, and the registry
 * `models` has one with `registered@1`. `first.npz` taught the first and the last of them, `second.npz` the other; `signs.onnx` says nothing of its data.
 */
export async function trainModels(folder: string): Promise<void> {
  await copyFile((await bundledExample()).model, join(folder, 'signs.onnx'));
  for (const [i, name] of ['first', 'second'].entries()) {
    const { x, y } = renderSplit({ seed: 9, split: 'train', n: PICTURES, start: i * PICTURES });
    await writeNpz(join(folder, `${name}.npz`), {
      x: { data: x, shape: [PICTURES, ...SIGN_SHAPE] },
      y: { data: Uint8Array.from(y), shape: [PICTURES] },
    });
  }
  const train = (name: string, data: string, seed: string) => {
    const how = ['--recipe', 'small-cnn', '--epochs', '1', '--threads', '1', '--seed', seed];
    return run(folder, 'train', '--data', data, ...how, '--out', `${name}.onnx`);
  };
  const attest = (name: string, ...out: readonly string[]) =>
    run(
      folder,
      ...['attest', 'key', `${name}.training.json`, '--model', `${name}.onnx`, '--private-key', 'person.pem'],
      ...['--out', join(...out)],
    );
  await run(folder, 'keygen', 'person.pem');
  await train('recorded', 'first.npz', '1');
  await train('attested', 'second.npz', '2');
  await train('registered', 'first.npz', '3');
  const beside = 'attested.onnx.evidence';
  await mkdir(join(folder, beside));
  await attest('attested', beside, 'training.json');
  await attest('registered', 'statement.json');
  // Nothing but the statements says it of these.
  for (const name of ['attested', 'registered'])
    await rename(join(folder, `${name}.training.json`), join(folder, `${name}.away`));
  const as = ['--log-key', 'log.pem', '--key', 'person.pem'];
  const trust = ['--approver', 'person=person.pem', '--trust', 'models.trust.json'];
  await run(folder, 'registry', 'init', 'models', ...as, ...trust);
  const evidence = ['--evidence', 'statement.json'];
  await run(
    folder,
    'registry',
    'push',
    'registered.onnx',
    'registered@1',
    '--registry',
    'models',
    ...as,
    ...evidence,
  );
}
