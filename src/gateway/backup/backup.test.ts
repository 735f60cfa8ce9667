import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/until.ts';
import { openStore, type Store } from '../../store/index.ts';
import { makeLink, takeLink } from '../console/links.ts';
import { openSessions } from '../console/sessions.ts';
import { openDataFolder } from '../data-folder.ts';
import { logFolder } from '../record/log-folder.ts';
import { type OpenRecorder, openRecorder } from '../record/open-recorder.ts';
import { decision, recordConfig } from '../record/record.fixture.ts';
import { backupData } from './backup-data.ts';
import { restoreData } from './restore-data.ts';

let folder = '';
let store: Store;
let recorder: OpenRecorder;
const at = (name: string) => join(folder, name);
const data = () => at('data');
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-backup-'));
  await openDataFolder(data());
  store = await openStore({ kind: 'sqlite', file: join(data(), 'glacis.db') });
  recorder = await openRecorder(recordConfig({ who: 'sealed' }), { folder: join(data(), 'record') });
});
afterEach(async () => {
  await recorder.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});
const backup = (out = at('backup')) => backupData({ data: data(), store, out, now: Date.now });
const restore = (rest: object = {}) =>
  restoreData({
    from: at('backup'),
    data: at('restored'),
    store: { kind: 'sqlite', file: join(at('restored'), 'glacis.db') },
    now: Date.now,
    ...rest,
  });

describe('a backup', () => {
  it('is made while the server records, and a server goes on from it', async () => {
    await store.db.insertInto('state').values({ name: 'x', value: 'kept', changed: 1 }).execute();
    let goes = true;
    let count = 0;
    const load = (async () => {
      while (goes) await Promise.all(Array.from({ length: 50 }, () => recorder.record(decision(count++))));
    })();
    // The second line of a checkpoint is the size of the log.
    const checkpoint = join(logFolder(join(data(), 'record')).log, 'checkpoint');
    await until(async () => Number((await readFile(checkpoint, 'utf8')).split('\n')[1]) > 50);
    const { log, files } = await backup().finally(async () => {
      goes = false;
      await load;
    });
    expect(log.size).toBeGreaterThan(50);
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'secret',
        'record/log-key.pem',
        'record/log.trust.json',
        'record/wrapping.key',
      ]),
    );
    await restore({ trust: join(data(), 'record', 'log.trust.json') });
    expect(await readFile(at('restored/secret'), 'utf8')).toBe(await readFile(at('data/secret'), 'utf8'));
    expect((await stat(at('restored/secret'))).mode & 0o777).toBe(0o600);
    const again = await openRecorder(recordConfig({ who: 'sealed' }), { folder: at('restored/record') });
    expect(await again.record(decision(1))).toBe(log.size);
    await again.close();
    const other = await openStore({ kind: 'sqlite', file: at('restored/glacis.db') });
    expect(await other.db.selectFrom('state').selectAll().where('name', '=', 'x').execute()).toHaveLength(1);
    await other.close();
  });

  it.each([false, true])(
    'signs nobody in again who was signed in when it was made (portable: %s)',
    async (portable) => {
      await recorder.record(decision(1));
      const limits = { idle: 1e9, longest: 1e9, most: 9 };
      const who = { principal: 'ann', tenant: 't', credential: 'k' };
      const { id } = await openSessions(store, () => limits, Date.now).begin(who, '::1');
      const { link } = await makeLink(store, { credential: 'k', by: 'ann', now: Date.now(), lifetime: 1e9 });
      await backupData({ data: data(), store, out: at('backup'), portable, now: Date.now });
      expect(await openSessions(store, () => limits, Date.now).find(id)).toMatchObject({ principal: 'ann' });
      await restore();
      const other = await openStore({ kind: 'sqlite', file: at('restored/glacis.db') });
      expect(await openSessions(other, () => limits, Date.now).find(id)).toBeUndefined();
      expect(await takeLink(other, link, Date.now())).toBeUndefined();
      expect(await other.db.selectFrom('sessions').select('ended_by').execute()).toEqual([
        { ended_by: 'glacis restore' },
      ]);
      await other.close();
    },
  );

  it('is never written over another, and leaves nothing behind where it fails', async () => {
    await recorder.record(decision(1));
    await mkdir(at('backup'));
    await expect(backup()).rejects.toMatchObject({ code: 'output/unwritable' });
    expect(await readdir(at('backup'))).toEqual([]);
    const broken = {
      ...store,
      reader: { executeQuery: () => Promise.reject(new Error('gone')) },
    } as unknown as Store;
    await expect(
      backupData({ data: data(), store: broken, out: at('other'), now: Date.now }),
    ).rejects.toThrow();
    expect((await readdir(folder)).sort()).toEqual(['backup', 'data']);
  });

  it('follows no link out of the data folder', async () => {
    await recorder.record(decision(1));
    await writeFile(at('outside'), 'secret of somebody else');
    await symlink(at('outside'), join(data(), 'inside'));
    const { files } = await backup();
    expect(files.map(({ path }) => path)).not.toContain('inside');
  });
});

describe('a backup that was changed', () => {
  it.each<[string, () => Promise<void>]>([
    ['a file', () => writeFile(at('backup/data/secret'), `${'0'.repeat(64)}\n`)],
    ['the store', () => writeFile(at('backup/store'), 'x')],
    ['the signed state of the log', () => writeFile(at('backup/data/record/log/checkpoint'), 'x')],
    ['its list', () => writeFile(at('backup/backup.json'), '{}')],
    [
      'a path in its list',
      async () => {
        const text = await readFile(at('backup/backup.json'), 'utf8');
        await writeFile(at('backup/backup.json'), text.replace('"secret"', '"../outside"'));
      },
    ],
    [
      'an entry of the log',
      async () => {
        const entries = at('backup/data/record/log/tile/entries');
        for (const name of await readdir(entries, { recursive: true })) {
          if (!/\.p.\d+$/.test(name)) continue;
          const bytes = await readFile(join(entries, name));
          bytes[50]! ^= 1;
          await writeFile(join(entries, name), bytes);
        }
      },
    ],
  ])('in %s is refused, and the place stays empty', async (_, change) => {
    for (let i = 0; i < 5; i++) await recorder.record(decision(i));
    await backup();
    await change();
    await expect(restore()).rejects.toMatchObject({ code: expect.stringMatching(/^(?:store|ledger)\//) });
    expect(await readdir(at('restored')).catch(() => [])).toEqual([]);
    expect(await readdir(folder)).not.toContain('outside');
  });

  it('together with its trust file is refused by the one that was kept elsewhere', async () => {
    await recorder.record(decision(1));
    await backup();
    const stranger = await openRecorder(recordConfig(), { folder: at('stranger') });
    await stranger.close();
    await expect(restore({ trust: at('stranger/log.trust.json') })).rejects.toMatchObject({
      code: 'ledger/untrusted',
    });
  });

  it('is not restored over what is there', async () => {
    await recorder.record(decision(1));
    await backup();
    await cp(data(), at('restored'), { recursive: true });
    await expect(restore()).rejects.toMatchObject({ code: 'output/unwritable' });
    expect(await readdir(at('restored'))).toContain('secret');
  });
});
