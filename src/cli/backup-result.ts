import { GlacisError } from '../core/error.ts';
import type { BackupManifest } from '../gateway/backup/backup-folder.ts';
import type { Given } from './args.ts';
import { writeText } from './output.ts';

/** The one FOLDER that `backup` and `restore` take. Errors: `option/invalid`. */
export function backupFolder({ positionals }: Given): string {
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0)
    throw new GlacisError('option/invalid', `expected one FOLDER, got ${positionals.length}`);
  return folder;
}

/** Writes what a backup holds to the file of `--json`, where one is wanted; the list of files stays in the backup. Errors: `output/unwritable`. */
export async function writeBackupResult(
  given: Given,
  { schema, at, log, files }: BackupManifest,
): Promise<void> {
  const file = given.text('json');
  if (file === undefined) return;
  await writeText(file, `${JSON.stringify({ schema, at, log, files: files.length }, null, 2)}\n`);
}
