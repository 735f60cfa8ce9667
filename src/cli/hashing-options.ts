import { GlacisError } from '../core/error.ts';
import { HASH_TYPES } from '../supply/sign/hash-type.ts';
import { ignorePathFrom } from '../supply/sign/ignored.ts';
import type { ManifestOptions } from '../supply/sign/read-manifest.ts';
import type { Given, OptionTable } from './args.ts';

/** Options of every command that hashes a model, with the names that the reference program gives them. */
export const HASHING_OPTIONS: OptionTable = {
  'ignore-paths': { value: 'PATH', help: 'leave this out, with all below it; no wildcards', many: true },
  'ignore-git-paths': { help: 'leave these out; so it is unless the other is given' },
  'no-ignore-git-paths': { help: 'take in .git, .github, .gitattributes and .gitignore of the model, too' },
  'allow-symlinks': { help: 'follow symbolic links; they are refused otherwise' },
  hash: { value: 'NAME', help: `${HASH_TYPES.join(', ')}; sha256 unless given` },
  'shard-size': { value: 'BYTES', help: 'hash files in pieces of this size, several at once' },
  dialect: {
    value: 'NAME',
    help: 'tools (names and algorithms as the published tools compare them) or spec; tools unless given',
  },
  'digest-cache': { value: 'FILE', help: 'remember digests of unchanged files; who can write it can lie' },
  threads: { value: 'N', help: 'threads that hash; one a core unless given' },
};

/** Reads {@link HASHING_OPTIONS} for the model at `model`. Errors: `option/invalid`. */
export async function hashingFrom(given: Given, model: string): Promise<ManifestOptions> {
  return {
    hashType: given.choice('hash', HASH_TYPES),
    shardSize: given.whole('shard-size', 1),
    allowSymlinks: given.flag('allow-symlinks'),
    ignorePaths: await Promise.all(given.texts('ignore-paths').map((path) => ignorePathFrom(model, path))),
    ignoreGitPaths: switchFrom(given, 'ignore-git-paths', true),
    dialect: given.choice('dialect', ['tools', 'spec']),
    digestCache: given.text('digest-cache'),
    threads: given.whole('threads', 1),
  };
}

/** A switch that has a form with `no-`, as the reference program's have; `otherwise` without either. Errors: `option/invalid` for both. */
export function switchFrom(given: Given, name: string, otherwise: boolean): boolean {
  const [yes, no] = [given.flag(name), given.flag(`no-${name}`)];
  if (yes && no) throw new GlacisError('option/invalid', `--${name}: expected it or --no-${name}, got both`);
  return yes || (otherwise && !no);
}
