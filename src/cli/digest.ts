import { GlacisError } from '../core/error.ts';
import { rootDigest } from '../supply/sign/manifest.ts';
import { readManifest } from '../supply/sign/read-manifest.ts';
import { type Command, EXIT } from './command.ts';
import { HASHING_OPTIONS, hashingFrom } from './hashing-options.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis digest`: the one digest that stands for a model in signatures, statements and logs. */
export const command: Command = {
  usage: 'digest MODEL [--files] [--json FILE]',
  about:
    'Hashes a model, a file or a folder, and prints the digest that signatures and statements name: SHA-256 over the digests of its files (OpenSSF Model Signing, root digest).',
  options: {
    ...HASHING_OPTIONS,
    files: { help: "each file's digest as well" },
    json: { value: 'FILE', help: 'the same as JSON' },
  },
  examples: [
    ['glacis digest model.onnx', 'the digest of one file as a model'],
    ['glacis digest model/ --files', 'of a folder, with each file'],
  ],
  async run({ given, terminal, signal }) {
    const [model, ...rest] = given.positionals;
    if (model === undefined || rest.length > 0)
      throw new GlacisError('option/invalid', `digest: expected one MODEL, got ${given.positionals.length}`);
    const json = given.text('json');
    if (json !== undefined) await prepareFile(json);
    const options = { ...(await hashingFrom(given, model)), signal, progress: terminal.progress };
    const { manifest, warnings, bytes } = await readManifest(model, options);
    const digest = `sha256:${rootDigest(manifest.resources)}`;
    for (const warning of warnings) terminal.say(`Warning: ${warning}`);
    if (json !== undefined)
      await writeText(
        json,
        `${JSON.stringify({ schema: 'glacis.digest/1', name: manifest.name, digest, bytes, serialization: manifest.serialization, resources: manifest.resources }, null, 2)}\n`,
      );
    const files = given.flag('files')
      ? manifest.resources.map(({ name, algorithm, digest }) => `${algorithm}:${digest}  ${shown(name)}\n`)
      : [];
    terminal.print(`${digest}\n${files.join('')}`);
    return EXIT.good;
  },
};

/** A file's name as JSON writes it where it holds anything that could move the cursor. */
function shown(name: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(name) ? name : JSON.stringify(name);
}
