import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sevenZip } from '../../scan/container/seven-zip/seven-zip.fixture.ts';
import { tar } from '../../scan/container/tar.fixture.ts';
import { zip } from '../../scan/container/zip.fixture.ts';
import { findSecrets } from '../find-secrets.ts';
import { temporaryFolder } from '../temporary-folder.fixture.ts';
import { SAMPLES, tokenSource } from '../tokens.fixture.ts';

const t = tokenSource(21);
const token = SAMPLES['huggingface-token']!(t)[0];

const folder = temporaryFolder();
const { lay } = folder;

describe('archives', () => {
  const member = { name: 'deep/.env', content: Buffer.from(`A=1\nHF_TOKEN=${token}\n`) };
  const where = async () =>
    (await findSecrets([folder.path])).findings.map((f) => [
      f.where.path.slice(folder.path.length + 1),
      f.where.place,
      f.where.line,
    ]);

  it.each<[string, Uint8Array]>([
    ['a.zip', zip([{ ...member, deflate: true }])],
    ['a.whl', zip([member])],
    ['a.tar', tar([member])],
    ['a.7z', sevenZip([member])],
  ])('are opened, and a secret is given once: %s', async (name, content) => {
    lay(name, content);
    expect(await where()).toEqual([[`${name}!deep/.env`, '', 2]]);
  });

  it('in archives are opened as well, notebooks in them as notebooks', async () => {
    const cell = { cell_type: 'code', source: [`k = "${token}"\n`], outputs: [], metadata: {} };
    const notebook = JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 });
    const inner = tar([{ name: 'train.ipynb', content: notebook }]);
    lay('a.zip', zip([{ name: 'b.tar.gz', content: gzipSync(inner), deflate: true }]));
    expect(await where()).toEqual([['a.zip!b.tar.gz!b.tar!train.ipynb', 'cell 1, source, line 1', 1]]);
  });

  it('say what in them could not be read', async () => {
    const cut = gzipSync(Buffer.alloc(200_000, 'words and more ')).subarray(0, -20);
    lay('cut.gz', cut);
    lay('locked.zip', zip([{ name: 'a', content: 'x', flags: 1 }]));
    const { unread } = await findSecrets([folder.path]);
    expect(unread.map(({ path }) => path.slice(folder.path.length + 1)).sort()).toEqual([
      'cut.gz',
      'locked.zip, byte 0',
    ]);
  });

  it('with large binary contents say so once', async () => {
    const weights = new Uint8Array(1 << 20);
    weights.set(Buffer.from(token), weights.length >> 1);
    const secret = Buffer.concat([Buffer.from(`\0${token}`), weights]);
    lay(
      'model.pt',
      zip([
        { name: 'data/0', content: weights },
        { name: 'data/1', content: weights },
        { name: 'data/2', content: secret },
      ]),
    );
    const { partly, findings } = await findSecrets([folder.path]);
    expect(partly).toHaveLength(1);
    expect(partly[0]?.reason).toContain('binary contents in it');
    expect(findings.map((f) => f.where.path.slice(folder.path.length + 1))).toEqual(['model.pt!data/2']);
  });
});
