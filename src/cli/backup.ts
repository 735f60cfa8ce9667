import { lstat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { backupData } from '../gateway/backup/backup-data.ts';
import { storeOf } from '../gateway/config/sections.ts';
import { openStore } from '../store/index.ts';
import { backupFolder, writeBackupResult } from './backup-result.ts';
import { type Command, EXIT } from './command.ts';
import { configOf } from './serve-config.ts';

/** `glacis backup`: store, log and keys of a server, while it runs. */
export const command: Command = {
  usage: 'backup FOLDER [options]',
  about:
    'Copies everything that a server keeps into a new folder, while it runs: store, log, keys, what guards remember. The copy of the log is verified. It holds every secret of the server: keep it as safe. docs/store.md says what to do with it.',
  options: {
    'data-dir': { value: 'DIR', help: 'the data folder of the server (glacis-data unless given)' },
    config: {
      value: 'FILE',
      help: 'the configuration of the server (glacis.yaml unless given, where there is one): where its store is',
    },
    portable: { help: 'write the store so that it can be restored to SQLite and to PostgreSQL' },
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    ['glacis backup backups/2027-01-31', 'of the server whose data is in glacis-data'],
    ['glacis backup /mnt/backup/monday --config glacis.yaml --portable', 'to move to PostgreSQL'],
  ],
  async run({ given, terminal, signal }) {
    const out = backupFolder(given);
    const data = resolve(given.text('data-dir') ?? 'glacis-data');
    const { config, folder } = await configOf(given.text('config'));
    const place = storeOf(config, data, (path) => resolve(folder, path));
    if (place.kind === 'sqlite' && (await lstat(place.file).catch(() => undefined)) === undefined)
      throw new GlacisError(
        'option/invalid',
        `${place.file}: expected the store of a server, got nothing; --data-dir names its folder`,
      );
    const store = await openStore(place, { migrations: 'none' });
    try {
      const portable = given.flag('portable') || store.engine === 'postgres';
      const done = await backupData({
        ...{ data, store, out, portable, signal, now: Date.now },
        storeFile: place.kind === 'sqlite' ? place.file : undefined,
      });
      const { log, files } = done;
      await writeBackupResult(given, done);
      terminal.print(
        `store, log (${log.size} entries, verified) and ${files.length} files are in ${out}\nIt holds every secret of the server, and keys of persons that may have to be erased: keep it as safe, and not for ever.\n`,
      );
      return EXIT.good;
    } finally {
      await store.close();
    }
  },
};
