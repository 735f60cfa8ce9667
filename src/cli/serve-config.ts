import { lstat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { defaultServe, readServe } from '../gateway/config/read-serve.ts';
import type { ServeConfig } from '../gateway/config/serve-schema.ts';
import { readPolicyText } from '../policy/policy-file.ts';

/** The configuration of a server: of the file that was named, or of `glacis.yaml` where there is one, or the defaults; and what its relative paths start from. Errors: `policy/invalid`. */
export async function configOf(
  named: string | undefined,
): Promise<{ readonly config: ServeConfig; readonly folder: string }> {
  const usual = resolve('glacis.yaml');
  const isThere = async () => (await lstat(usual).catch(() => undefined)) !== undefined;
  const file = named !== undefined ? resolve(named) : (await isThere()) ? usual : undefined;
  if (file === undefined) return { config: defaultServe(), folder: process.cwd() };
  return { config: readServe((await readPolicyText(file)).text, file).config, folder: dirname(file) };
}
