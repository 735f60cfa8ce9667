import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/atomic-write.ts';
import { privateKeyFrom } from '../../supply/sign/ec-key.ts';

/** Bundles kept, and their bytes; the oldest go first. */
const MOST_FILES = 200;
const MOST_BYTES = 4 * 2 ** 30;
const NAME = /^[0-9a-f]{64}\.zip$/;

/** Bundles on the disk, by the digest of their manifest. */
export interface EvidenceShelf {
  /** The key that signs them. */
  readonly key: KeyObject;
  /** Keeps one; those that are too many go. Errors: `output/unwritable`. */
  put(digest: string, zip: Uint8Array): Promise<void>;
  /** Undefined where it is not there, or not any more. */
  get(digest: string): Promise<Buffer | undefined>;
}

/**
 * Opens a folder of bundles, for its owner alone, with the key that signs them: that of `keyFile`, or one that is made at the first start (`evidence-key.pem`, and
 * `evidence-key.pub` to hand out). Errors: `output/unwritable`, `key/unusable`.
 */
export async function openEvidenceShelf(folder: string, keyFile?: string): Promise<EvidenceShelf> {
  const key = await keyIn(folder, keyFile);
  const pathOf = (digest: string) => join(folder, `${digest.replace(/^sha256:/, '')}.zip`);
  const sweep = async () => {
    const files = [];
    for (const name of (await readdir(folder)).filter((each) => NAME.test(each))) {
      const { size, mtimeMs } = await stat(join(folder, name));
      files.push({ name, size, at: mtimeMs });
    }
    files.sort((a, b) => b.at - a.at);
    let bytes = 0;
    for (const [i, { name, size }] of files.entries()) {
      bytes += size;
      if (i > 0 && (i >= MOST_FILES || bytes > MOST_BYTES)) await rm(join(folder, name), { force: true });
    }
  };
  return {
    key,
    async put(digest, zip) {
      await writeAtomically(pathOf(digest), (write) => write(zip), { mode: 0o600 });
      await sweep();
    },
    async get(digest) {
      if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
      return readFile(pathOf(digest)).catch((thrown: NodeJS.ErrnoException) => {
        if (thrown.code === 'ENOENT') return undefined;
        throw asGlacisError(thrown, 'output/unwritable', folder);
      });
    },
  };
}

async function keyIn(folder: string, keyFile: string | undefined): Promise<KeyObject> {
  const path = keyFile ?? join(folder, 'evidence-key.pem');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const there = await readFile(path).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT' && keyFile === undefined) return undefined;
      throw new GlacisError('key/unusable', `${path}: expected the private key for evidence`, {
        cause: thrown,
      });
    });
    if (there) return privateKeyFrom(there, path);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    await writeAtomically(path, (write) => write(Buffer.from(pem)), { mode: 0o600 });
    const text = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
    await writeAtomically(join(folder, 'evidence-key.pub'), (write) => write(Buffer.from(text)));
    return createPrivateKey(pem);
  } catch (thrown) {
    throw asGlacisError(thrown, 'output/unwritable', folder);
  }
}
