import { generateKeyPairSync } from 'node:crypto';
import { access } from 'node:fs/promises';
import { GlacisError } from '../core/error.ts';
import { writeAtomically } from '../data/atomic-write.ts';
import { visible } from '../report/markup.ts';
import { fingerprintOf } from '../supply/sign/ec-key.ts';
import { type Command, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';

const TYPES = ['p256', 'p384', 'p521', 'ml-dsa-65'] as const;

/** `glacis keygen`: a key pair for signing models. */
export const command: Command = {
  usage: 'keygen FILE [--type p256|p384|p521|ml-dsa-65]',
  about:
    'Makes a key pair for signing: the private key in FILE, which only you can read, the public key beside it with .pub at its end, and prints the fingerprint that signatures and policies name it by. Files that are there are kept.',
  options: {
    type: { value: 'NAME', help: `${TYPES.join(', ')} (the last is post-quantum); p256 unless given` },
  },
  examples: [
    ['glacis keygen model-key.pem', 'a key for glacis sign key'],
    ['glacis keygen model-pq.pem --type ml-dsa-65', 'a key for the second, post-quantum signature'],
  ],
  async run({ given, terminal }) {
    const [path, ...rest] = given.positionals;
    if (path === undefined || rest.length > 0)
      throw new GlacisError('option/invalid', `keygen: expected one FILE, got ${given.positionals.length}`);
    const type = given.choice('type', TYPES) ?? 'p256';
    const publicPath = `${path.replace(/\.pem$/, '')}.pub`;
    for (const file of [path, publicPath]) {
      await prepareFile(file);
      const exists = await access(file).then(
        () => true,
        () => false,
      );
      if (exists)
        throw new GlacisError(
          'output/unwritable',
          `${file}: expected no file there, got one; keys are not overwritten`,
        );
    }
    const { privateKey, publicKey } =
      type === 'ml-dsa-65'
        ? generateKeyPairSync(type)
        : generateKeyPairSync('ec', { namedCurve: `P-${type.slice(1)}` });
    const pem = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeAtomically(path, (write) => write(pem), { mode: 0o600 });
    await writeText(publicPath, publicKey.export({ type: 'spki', format: 'pem' }) as string);
    // Signatures and policies name a key by this.
    terminal.print(`sha256:${fingerprintOf(publicKey)}  ${visible(publicPath)}\n`);
    terminal.say(`Private key: ${path}`);
    return EXIT.good;
  },
};
