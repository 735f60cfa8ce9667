import { resolve } from 'node:path';
import { restoreData } from '../gateway/backup/restore-data.ts';
import { storeOf } from '../gateway/config/sections.ts';
import { backupFolder, writeBackupResult } from './backup-result.ts';
import { type Command, EXIT } from './command.ts';
import { configOf } from './serve-config.ts';

/** `glacis restore`: a server's data folder and store from a backup. */
export const command: Command = {
  usage: 'restore FOLDER [options]',
  about:
    'Makes the data folder and the store of a server from what glacis backup wrote, in an empty place. Every file is compared and the log is verified. Budgets are as they were then, and keys that were revoked since are valid again.',
  options: {
    'data-dir': { value: 'DIR', help: 'a folder that is empty or not there (glacis-data unless given)' },
    config: {
      value: 'FILE',
      help: 'the configuration of the server (glacis.yaml unless given, where there is one): where its store is to be',
    },
    trust: {
      value: 'FILE',
      help: "the log's trust file, as it was kept elsewhere; the backup's own unless given",
    },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    ['glacis restore backups/2027-01-31 --trust log.trust.json', 'then glacis serve goes on from there'],
    ['glacis restore /mnt/backup/monday --config postgres.yaml', 'into PostgreSQL, from a portable one'],
  ],
  async run({ given, terminal, signal }) {
    const from = backupFolder(given);
    const data = resolve(given.text('data-dir') ?? 'glacis-data');
    const { config, folder } = await configOf(given.text('config'));
    const store = storeOf(config, data, (path) => resolve(folder, path));
    const done = await restoreData({
      ...{ from, data, store, signal, now: Date.now },
      trust: given.text('trust'),
    });
    const { at, log } = done;
    await writeBackupResult(given, done);
    terminal.print(
      `the server is as it was at ${at}: ${log.size} entries of the log, verified\nWhat was used of budgets since is forgotten, and keys that were revoked since are valid again: rotate them. Nobody is signed in to the console.\n`,
    );
    return EXIT.good;
  },
};
