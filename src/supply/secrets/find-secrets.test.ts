import { chmodSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WireWriter } from '../../onnx/wire.ts';
import { ggufFile } from '../scan/formats/gguf.fixture.ts';
import { type BaselineEntry, baselineToJson, readBaseline } from './baseline.ts';
import { findSecrets } from './find-secrets.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';
import { secretsText } from './text.ts';
import { SAMPLES, tokenSource } from './tokens.fixture.ts';

const t = tokenSource(21);
const token = SAMPLES['huggingface-token']!(t)[0];
const other = SAMPLES['replicate-token']!(t)[0];

const folder = temporaryFolder();
const { lay } = folder;

const look = async (...names: string[]) =>
  findSecrets(names.length === 0 ? [folder.path] : names.map((name) => join(folder.path, name)));
const places = async (...names: string[]) =>
  (await look(...names)).findings.map(({ rule, where }) => [rule, where.place, where.line, where.column]);

describe('files', () => {
  it('of text give line and column, and the secret is in no part of the result', async () => {
    lay('.env', `A=1\nHF_TOKEN=${token}\n`);
    const result = await look();
    expect(result.findings.map(({ where }) => [where.line, where.column])).toEqual([[2, 10]]);
    expect(result.files).toBe(1);
    const text = JSON.stringify(result) + secretsText(result);
    for (let i = 3; i + 6 <= token.length; i++) expect(text).not.toContain(token.slice(i, i + 6));
  });

  it('with a line of many megabytes are looked at whole', async () => {
    const filler = 'x, '.repeat(700_000);
    lay('long.json', `\n[${filler}"${token}", ${filler}"${other}"]`);
    expect(await places()).toEqual([
      ['secrets/huggingface-token', '', 2, undefined],
      ['secrets/replicate-token', '', 2, undefined],
    ]);
  });

  it('with the secret on the seam between two windows give it once', async () => {
    for (const shift of [0, 1, 20, 36, 37, 38])
      lay(`${shift}.txt`, `${' '.repeat(2 ** 20 - shift)}${token}\n`);
    expect((await look()).findings).toHaveLength(6);
  });

  it('in UTF-16 are read as such', async () => {
    const le = Buffer.from(`\ufeffHF_TOKEN=${token}\r\n`, 'utf16le');
    lay('le.txt', le);
    lay('be.txt', Buffer.from(le).swap16());
    expect((await look()).findings).toHaveLength(2);
  });

  it('that are notebooks are read cell by cell, whatever their name', async () => {
    const cell = {
      cell_type: 'code',
      source: ['import os\n', `login("${token}")\n`],
      outputs: [{ text: `using ${other}` }],
    };
    lay('a.txt', JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4 }, null, 1));
    expect((await places()).map(([rule, place]) => [rule, place])).toEqual([
      ['secrets/huggingface-token', 'cell 1, source, line 2'],
      ['secrets/replicate-token', 'cell 1, output 1, text, line 1'],
    ]);
  });

  it('that only seem to be notebooks are read as text, and count as not read', async () => {
    lay('a.ipynb', `{"cells": [{"source": "${token}"}], "nbformat": 4,,}`);
    const { findings, unread } = await look();
    expect(findings).toHaveLength(1);
    expect(unread[0]?.reason).toMatch(/notebook, but is not valid JSON/);
  });

  it('of safetensors give the metadata by key, and not the weights', async () => {
    const header = Buffer.from(JSON.stringify({ __metadata__: { note: `key ${token}` }, w: {} }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    lay('m.safetensors', Buffer.concat([length, header, Buffer.from(` ${other} `)]));
    expect(await places()).toEqual([['secrets/huggingface-token', "metadata 'note'", undefined, undefined]]);
    lay(
      'm.safetensors',
      Buffer.concat([length, Buffer.from(header).fill(0x20, header.length - 2), Buffer.alloc(9)]),
    );
    expect(await places()).toEqual([['secrets/huggingface-token', 'header', undefined, undefined]]);
  });

  it('of ONNX give metadata, documentation and text attributes', async () => {
    const model = new WireWriter();
    model.int(1, 8);
    model.text(2, 'pytorch');
    model.text(6, `doc ${token}`);
    model.message(7, (graph) => {
      graph.message(1, (node) => {
        node.text(4, 'Custom');
        node.message(5, (attribute) => {
          attribute.text(1, 'url');
          attribute.bytes(4, Buffer.from(other));
        });
      });
    });
    model.message(14, (entry) => {
      entry.text(1, 'author');
      entry.text(2, `used ${token}`);
    });
    lay('m.onnx', Buffer.concat(model.chunks()));
    expect((await places()).map(([rule, place]) => [rule, place])).toEqual([
      ['secrets/replicate-token', 'attribute, text'],
      ['secrets/huggingface-token', 'doc string'],
      ['secrets/huggingface-token', 'metadata, value'],
    ]);
  });

  it('of other bytes are looked at with the rules that are sure of themselves', async () => {
    lay(
      'a.bin',
      Buffer.concat([
        Buffer.alloc(100),
        Buffer.from(`${token}\npassword = "${tokenSource(1).of('abc7Q!zR', 12)}"`),
      ]),
    );
    expect((await places()).map(([rule]) => rule)).toEqual(['secrets/huggingface-token']);
  });

  it('of damaged ONNX are looked at as bytes', async () => {
    const model = new WireWriter();
    model.int(1, 8);
    model.text(2, 'x');
    lay(
      'm.onnx',
      Buffer.concat([...model.chunks(), Buffer.from([0x3a, 0x7f, 0]), Buffer.from(` ${token} `)]),
    );
    expect((await places()).map(([rule]) => rule)).toEqual(['secrets/huggingface-token']);
  });

  it('of GGUF give what stands in the metadata', async () => {
    lay('m.gguf', ggufFile([['general.description', `made with ${token}`]]));
    expect((await places()).map(([rule]) => rule)).toEqual(['secrets/huggingface-token']);
  });

  it('of many gigabytes of other bytes are looked at from both ends, and that is said', async () => {
    const path = lay('sparse.bin', Buffer.from(`\0${token}`));
    truncateSync(path, 10 * 2 ** 30);
    const { findings, partly, unread } = await look();
    expect(findings).toHaveLength(1);
    expect(partly[0]?.reason).toMatch(/first and the last 8 MiB/);
    expect(unread).toEqual([]);
  });
});

describe('folders', () => {
  it('are walked without packages, virtual environments, Git objects and links', async () => {
    for (const name of [
      'a.txt',
      '.git/config',
      '.git/objects/x',
      'node_modules/p/i.js',
      'env/lib/s.py',
      'sub/b.txt',
    ])
      lay(name, `t ${token}\n`);
    lay('env/pyvenv.cfg', '');
    symlinkSync('/etc', join(folder.path, 'link'));
    symlinkSync(folder.path, join(folder.path, 'loop'));
    const { findings } = await look();
    expect(findings.map(({ where }) => where.path.slice(folder.path.length + 1))).toEqual([
      '.git/config',
      'a.txt',
      'sub/b.txt',
    ]);
  });

  it('that do not exist, and files without the right to read, are not read and so not clean', async () => {
    const path = lay('secret.txt', 'x');
    chmodSync(path, 0);
    const { unread, findings } = await look('secret.txt', 'missing');
    expect(findings).toEqual([]);
    const expected =
      process.getuid?.() === 0 ? ['there is no such file'] : ['no right', 'there is no such file'];
    expect(unread.map(({ reason }) => reason).sort()).toEqual(
      expected.map((e) => expect.stringContaining(e)),
    );
  });

  it('of the caller may be named through a link', async () => {
    lay('real/a.txt', token);
    symlinkSync(join(folder.path, 'real'), join(folder.path, 'link'));
    expect((await look('link')).findings).toHaveLength(1);
  });

  it('end when they are cancelled', async () => {
    lay('a.txt', 'x');
    const signal = AbortSignal.abort();
    await expect(findSecrets([folder.path], { signal })).rejects.toMatchObject({ code: 'run/cancelled' });
  });
});

describe('a baseline', () => {
  const salt = 'ab'.repeat(16);
  async function baselineOf(): Promise<string> {
    const entries: BaselineEntry[] = [];
    await findSecrets([folder.path], { record: { salt, add: (entry) => entries.push(entry) } });
    const path = join(folder.path, '..', `${folder.path.split('/').at(-1)}.json`);
    writeFileSync(path, baselineToJson({ salt, entries }));
    return path;
  }

  it('silences what it knows, in the same file only, and nothing new', async () => {
    lay('a.txt', `a ${token}\n`);
    const path = await baselineOf();
    const baseline = await readBaseline(path);
    rmSync(path);
    expect(await findSecrets([folder.path], { baseline })).toMatchObject({ findings: [], known: 1 });
    lay('a.txt', `moved down\n\na ${token}\nb ${other}\n`);
    lay('b.txt', `a ${token}\n`);
    const { findings } = await findSecrets([folder.path], { baseline });
    expect(findings.map(({ rule, where }) => [rule, where.path.at(-5)])).toEqual([
      ['secrets/replicate-token', 'a'],
      ['secrets/huggingface-token', 'b'],
    ]);
  });

  it('holds no part of a secret, and the same bytes every time', async () => {
    lay('a.txt', `a ${token}\n`);
    const entries: BaselineEntry[] = [];
    const record = { salt, add: (entry: BaselineEntry) => entries.push(entry) };
    await findSecrets([folder.path], { record });
    await findSecrets([folder.path], { record });
    const text = baselineToJson({ salt, entries });
    expect(text).not.toContain(token.slice(3, 9));
    expect(text).toBe(baselineToJson({ salt, entries: entries.slice(0, 1) }));
    expect(entries[0]?.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  it('that is none is refused', async () => {
    const good = { schema: 'glacis.secrets-baseline/1', salt, entries: [] };
    for (const bad of [
      { ...good, schema: 'x' },
      { ...good, salt: 'zz' },
      { ...good, entries: [{}] },
      null,
      [],
    ])
      await expect(readBaseline(lay('b.json', JSON.stringify(bad)))).rejects.toMatchObject({
        code: 'data/unreadable',
      });
    await expect(readBaseline(lay('b.json', '{'))).rejects.toMatchObject({ code: 'data/unreadable' });
    await expect(readBaseline(join(folder.path, 'none'))).rejects.toMatchObject({ code: 'data/unreadable' });
  });
});
