import type { KeyObject } from 'node:crypto';
import { join, resolve } from 'node:path';
import { visible } from '../report/markup.ts';
import { pathInside } from '../supply/sign/ignored.ts';
import { signModel } from '../supply/sign/sign-model.ts';
import type { Given } from './args.ts';
import { type Command, EXIT } from './command.ts';
import { HASHING_OPTIONS, hashingFrom } from './hashing-options.ts';
import { prepareFile, writeText } from './output.ts';
import { readKey } from './read-key.ts';
import { methodAndSubject, SIGNER_OPTIONS, SIGNING_METHODS, signerFrom } from './signer-from.ts';

/** `glacis sign`: a signature over all files of a model, in the format of OpenSSF Model Signing. */
export const command: Command = {
  usage: 'sign [METHOD] MODEL [--signature FILE]',
  about: `Signs a model, a file or a folder, with an OpenSSF Model Signing v1.0 bundle that the published tools verify, too. METHOD is ${SIGNING_METHODS.join(', ')}; sigstore when it is left out.`,
  options: {
    signature: { value: 'FILE', help: 'where the signature goes; model.sig unless given' },
    ...SIGNER_OPTIONS,
    ...HASHING_OPTIONS,
    'pq-private-key': {
      value: 'FILE',
      help: 'an ML-DSA-65 key (its password in GLACIS_PQ_KEY_PASSWORD): makes a second, post-quantum signature',
    },
    'pq-signature': { value: 'FILE', help: 'where that goes; beside the first with .pq.sig unless given' },
    json: { value: 'FILE', help: 'what was signed, as JSON' },
  },
  examples: [
    ['glacis keygen key.pem', 'a key pair (once)'],
    ['glacis sign key model.onnx --private-key key.pem --signature model.onnx.sig', 'sign one file'],
    ['glacis sign key model/ --private-key key.pem --ignore-paths model/README.md', 'sign a folder'],
  ],
  async run({ given, terminal, signal }) {
    const [method, model] = methodAndSubject(given, SIGNING_METHODS, 'sign: expected METHOD MODEL');
    const signature = given.text('signature') ?? 'model.sig';
    const json = given.text('json');
    const pqKey = await postQuantumKey(given);
    const pqSignature = pqKey && postQuantumPath(given, signature);
    const files = [signature, pqSignature, json];
    for (const file of files) if (file !== undefined) await prepareFile(file);
    const signer = await signerFrom(method, given, { terminal, signal });
    const hashing = await hashingFrom(given, model);
    const options = {
      ...hashing,
      ignorePaths: [...(hashing.ignorePaths ?? []), ...(await ownFiles(model, files))],
      signal,
      progress: terminal.progress,
    };
    const signed = await signModel(model, signer, options);
    if (pqKey && pqSignature !== undefined) {
      const { signPostQuantum } = await import('../supply/sign/post-quantum.ts');
      await writeText(pqSignature, `${JSON.stringify(signPostQuantum(pqKey, signed.payload))}\n`);
    }
    await writeText(signature, signed.bundle);
    for (const warning of signed.warnings) terminal.say(`Warning: ${warning}`);
    const { manifest, digest, bytes } = signed;
    if (json !== undefined)
      await writeText(
        json,
        `${JSON.stringify({ schema: 'glacis.signature/1', name: manifest.name, digest, bytes, method: signer.method, who: signer.who, signature: resolve(signature), resources: manifest.resources.length }, null, 2)}\n`,
      );
    const counted = `${manifest.resources.length} ${manifest.serialization.method === 'shards' ? 'shard' : 'file'}${manifest.resources.length === 1 ? '' : 's'}`;
    terminal.print(`${digest}  ${visible(join(model))}\nsigned ${counted} by ${visible(signer.who)}\n`);
    terminal.say(`Signature: ${signature}${pqSignature === undefined ? '' : ` and ${pqSignature}`}`);
    return EXIT.good;
  },
};

/** The key of `--pq-private-key`. Errors: `key/unusable`. */
async function postQuantumKey(given: Given): Promise<KeyObject | undefined> {
  const path = given.text('pq-private-key');
  if (path === undefined) return undefined;
  const { postQuantumKeyFrom } = await import('../supply/sign/post-quantum.ts');
  return postQuantumKeyFrom(await readKey(path), 'private', path, process.env.GLACIS_PQ_KEY_PASSWORD);
}

/** Where the second signature lies: `m.pq.sig` beside `m.sig` unless the command line says otherwise. */
export function postQuantumPath(given: Given, signature: string): string {
  return given.text('pq-signature') ?? `${signature.replace(/\.sig$/, '')}.pq.sig`;
}

/** Those of `files` that lie inside the model, as paths from its root: what the command writes is no part of what it signs. */
export async function ownFiles(
  model: string,
  files: readonly (string | undefined)[],
): Promise<readonly string[]> {
  const given = files.filter((file) => file !== undefined);
  const inside = await Promise.all(given.map((file) => pathInside(model, file)));
  return inside.filter((path) => path !== undefined);
}
