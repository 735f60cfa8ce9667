import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRecorder } from '../gateway/record/open-recorder.ts';
import { decision, recordConfig } from '../gateway/record/record.fixture.ts';
import { folderStore, openWriter, publicFile } from '../ledger/index.ts';
import { logSigners } from '../registry/log-key.ts';
import { readArgs } from './args.ts';
import { command } from './log.ts';

const COUNT = 300;
const NASTY = '=HYPERLINK("http://x")\n\u001b[31mred\u009b31m\u202e';
let home = '';
let made = '';
let receipt = '';
let at = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-log-cli-'));
  made = join(home, 'made');
  const recorder = await openRecorder(recordConfig({ who: 'sealed', payloads: { keep: 'both' } }), {
    folder: made,
  });
  await recorder.record({
    kind: 'event',
    at: 1,
    event: 'server-started',
    by: 'glacis',
    about: { version: '1' },
  });
  await Promise.all(
    Array.from({ length: COUNT }, (_, i) =>
      recorder.record(
        decision(i, {
          principal: i === 7 ? 'alice' : 'bob',
          model: i === 9 ? NASTY : 'mnist-cnn',
          outcome: i % 50 === 3 ? 'throttled' : 'answered',
        }),
        { input: [Buffer.from(`input ${i}`)], output: [Buffer.from(`output ${i}`)] },
      ),
    ),
  );
  receipt = await recorder.receipt(8);
  await recorder.close();
});
afterAll(() => rm(home, { recursive: true, force: true }));
beforeEach(async () => {
  at = join(home, `run-${Math.random()}`);
  await cp(made, at, { recursive: true });
});
afterEach(() => rm(at, { recursive: true, force: true }));

async function run(
  args: readonly string[],
  signal = new AbortController().signal,
  print = (_: string) => {},
) {
  const json = join(home, 'result.json');
  await rm(json, { force: true });
  let text = '';
  const exit = await command.run({
    given: readArgs([...args, '--json', json], command.options),
    args,
    signal,
    terminal: {
      width: 100,
      print: (t) => {
        text += t;
        print(t);
      },
      say: () => {},
      progress: () => {},
      clear: () => {},
      bold: (t) => t,
    },
  });
  return { text, exit, json: JSON.parse(await readFile(json, 'utf8')) };
}
const id = (i: number) => decision(i).id;

describe('glacis log verify', () => {
  it('is content with a log that nobody changed', async () => {
    const { exit, json, text } = await run(['verify', at]);
    expect(text).toContain(`ok: ${COUNT + 1} entries of example.com/decisions`);
    expect(exit).toBe(0);
    expect(json).toMatchObject({
      schema: 'glacis.log.verification/1',
      ok: true,
      entries: COUNT + 1,
      findings: [],
    });
  });

  it('abuse 25: names the entry that was changed, the file that is missing, and the log that went back', async () => {
    const bundle = join(at, 'log/tile/entries/001.p', String(COUNT + 1 - 256));
    const bytes = await readFile(bundle);
    bytes[bytes.length - 5]! ^= 1;
    await writeFile(bundle, bytes);
    const changed = await run(['verify', at]);
    expect([changed.exit, changed.json.findings[0].where]).toEqual([1, `entry ${COUNT}`]);
    await rm(join(at, 'log/tile/0/000'));
    expect((await run(['verify', at])).json.findings.map(({ where }: { where: string }) => where)).toContain(
      'tile/0/000',
    );
    const other = join(home, 'other');
    await cp(made, other, { recursive: true });
    const recorder = await openRecorder(recordConfig(), { folder: other });
    await recorder.record(decision(999));
    await recorder.close();
    await rm(join(other, 'log'), { recursive: true });
    await cp(join(made, 'log'), join(other, 'log'), { recursive: true });
    const back = await run(['verify', other]);
    expect([back.exit, back.text]).toEqual([1, expect.stringContaining('an old state was put back')]);
    await writeFile(
      join(at, 'log/checkpoint'),
      (await readFile(join(at, 'log/checkpoint'), 'utf8')).replace('301', '300'),
    );
    const forged = await run(['verify', at]);
    expect([forged.exit, forged.json.findings[0].where]).toEqual([1, 'checkpoint']);
    await rm(other, { recursive: true });
  });

  it('refuses what is no log, and nobody to believe', async () => {
    await expect(run(['verify', join(home, 'nothing')])).rejects.toMatchObject({ code: 'ledger/unreadable' });
    await expect(run(['verify', join(at, 'log')])).rejects.toMatchObject({ code: 'option/invalid' });
    expect((await run(['verify', join(at, 'log'), '--trust', join(at, 'log.trust.json')])).exit).toBe(0);
  });
});

describe('glacis log verify of an address', () => {
  it('reads what a server serves, with a token, and never follows it elsewhere', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const path = (request.url ?? '').slice('/log/'.length);
      asked.push(`${request.headers.authorization} ${path}`);
      if (path === 'tile/0/000' && moved) response.writeHead(302, { location: 'http://192.0.2.1/' }).end();
      else if (publicFile(path) === undefined) response.writeHead(404).end();
      else
        readFile(join(at, 'log', path)).then(
          (bytes) => response.end(bytes),
          () => response.writeHead(404).end(),
        );
    });
    let moved = false;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`;
    vi.stubEnv('GLACIS_LOG_TOKEN', 'secret');
    const trust = join(at, 'log.trust.json');
    try {
      await expect(run(['verify', url])).rejects.toMatchObject({ code: 'option/invalid' });
      const { exit, json } = await run(['verify', url, '--trust', trust]);
      expect([exit, json.entries]).toEqual([0, COUNT + 1]);
      expect(asked.every((each) => each.startsWith('Bearer secret '))).toBe(true);
      moved = true;
      await expect(run(['verify', url, '--trust', trust])).rejects.toMatchObject({
        code: 'endpoint/unavailable',
      });
      moved = false;
      await writeFile(join(at, 'log/tile/0/000'), Buffer.alloc(100_000));
      const large = await run(['verify', url, '--trust', trust]);
      expect([large.exit, large.json.findings[0].where]).toEqual([1, 'tile/0/000']);
    } finally {
      vi.unstubAllEnvs();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('glacis log prove', () => {
  const check = (file: string, ...more: string[]) =>
    run(['prove', '--check', file, '--trust', join(at, 'log.trust.json'), ...more]);

  it('writes a receipt that is checked without the log', async () => {
    const out = join(at, 'x.tlog-proof');
    expect((await run(['prove', at, id(7), '--out', out])).json).toMatchObject({ index: 8 });
    await rm(join(at, 'log'), { recursive: true });
    const { exit, text } = await check(out);
    expect(exit).toBe(0);
    expect(text).toContain(id(7));
    const forged = (await readFile(out, 'utf8')).replace('index 8', 'index 9');
    await writeFile(out, forged);
    expect((await check(out)).exit).toBe(1);
  });

  it('checks what a caller was given, which names the entry by its hash alone', async () => {
    const file = join(at, 'given.tlog-proof');
    await writeFile(file, receipt);
    expect(receipt).not.toContain(Buffer.from(id(7)).toString('base64').slice(0, 20));
    expect((await check(file)).text).toMatch(/entry 8 of .*\nentry with the hash [0-9a-f]{64}\n/);
    const entry = join(at, 'entry');
    await writeFile(entry, '{}');
    expect((await check(file, '--entry', entry)).exit).toBe(1);
  });
});

describe('glacis log show', () => {
  it('shows the state, an entry, and whether it was about these bytes', async () => {
    expect((await run(['show', at])).json).toMatchObject({ entries: COUNT + 1, keys: { length: 3 } });
    const file = join(at, 'input');
    await writeFile(file, 'input 7');
    const same = await run(['show', at, '8', '--input', file]);
    expect([same.exit, same.json.commitments]).toEqual([0, 'match']);
    await writeFile(file, 'input 8');
    expect(await run(['show', at, '8', '--input', file])).toMatchObject({
      exit: 1,
      json: { commitments: 'differ' },
    });
  });

  it('opens what is sealed only when it is asked to, and gives payloads back', async () => {
    const shown = await run(['show', at, '8']);
    expect(shown.text).not.toContain('alice');
    expect(shown.json.decision).toMatchObject({ top: [[7, 0.998]], input: { mean: 0.13 } });
    const { json } = await run(['show', at, '8', '--reveal', '--payload', join(at, 'out')]);
    expect(json.who).toMatchObject({ principal: 'alice', address: '192.0.2.7' });
    expect(await readFile(join(at, 'out/input-0.bin'), 'utf8')).toBe('input 7');
    expect(await readFile(join(at, 'out/output-0.bin'), 'utf8')).toBe('output 7');
  });
});

describe('glacis log search', () => {
  const found = async (...args: string[]) =>
    ((await run(['search', at, ...args])).json.found as { index: number }[]).map(({ index }) => index);

  it('finds by model, outcome, time, event and, where it may be opened, principal', async () => {
    expect(await found('--outcome', 'throttled')).toEqual([254, 204, 154, 104, 54, 4]);
    expect(await found('--outcome', 'throttled', '--limit', '2')).toEqual([254, 204]);
    expect(await found('--event', 'server-started')).toEqual([0]);
    expect(await found('--model', NASTY)).toEqual([10]);
    expect(await found('--after', new Date(1_700_000_000_298).toISOString())).toEqual([300, 299]);
    expect(await found('--principal', 'alice')).toEqual([]);
    expect(await found('--principal', 'alice', '--reveal')).toEqual([8]);
  });

  it('believes the log and not the index, which can be thrown away', async () => {
    expect(await found('--outcome', 'throttled', '--limit', '1')).toEqual([254]);
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(at, 'index.db'));
    database.exec("UPDATE entries SET outcome = 'throttled' WHERE entry = 300");
    database.close();
    expect(await found('--outcome', 'throttled', '--limit', '2')).toEqual([254]);
    expect((await run(['reindex', at])).json).toMatchObject({ entries: COUNT + 1 });
    expect(await found('--outcome', 'throttled', '--limit', '2')).toEqual([254, 204]);
  });

  it('makes the index again when the log is another one', async () => {
    await found('--event', 'server-started');
    await rm(join(at, 'log'), { recursive: true });
    const signers = logSigners(await readFile(join(at, 'log-key.pem')), 'example.com/decisions', 'key');
    const { createLog } = await import('../ledger/index.ts');
    const writer = await createLog(folderStore(join(at, 'log')), {
      origin: 'example.com/decisions',
      signers,
      now: () => new Date(),
    });
    for (let i = 0; i < 400; i++)
      void writer.append(
        Buffer.from(`{"schema":"glacis.event/1","event":{"at":${i},"by":"x","event":"y","about":{}}}`),
      );
    await writer.close();
    expect(await found('--event', 'server-started')).toEqual([]);
    expect(await found('--event', 'y', '--limit', '1')).toEqual([399]);
  });
});

describe('abuse 25: glacis log export', () => {
  it('lets nothing through that a terminal, a spreadsheet or a reader of lines takes for more than text', async () => {
    for (const format of ['jsonl', 'csv']) {
      const out = join(at, `out.${format}`);
      expect((await run(['export', at, '--format', format, '--out', out])).json.entries).toBe(COUNT + 1);
      expect((await stat(out)).mode & 0o777).toBe(0o600);
      const text = await readFile(out, 'utf8');
      expect(text.replaceAll(/[\r\n]/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      const lines = text.trimEnd().split(/\r?\n/);
      expect(lines).toHaveLength(COUNT + 1 + (format === 'csv' ? 1 : 0));
      const nasty = lines[format === 'csv' ? 11 : 10]!;
      if (format === 'csv') {
        expect(nasty).toContain(`"'=HYPERLINK(""http://x"")\ufffd\ufffd[31mred`);
        // No field of any line begins with what a spreadsheet computes.
        for (const line of lines.slice(1)) expect(line).not.toMatch(/(^|,)"?[=+\-@]/);
      } else expect(JSON.parse(nasty).decision.model).toBe(NASTY);
    }
    const out = join(at, 'some.jsonl');
    expect((await run(['export', at, '--out', out, '--outcome', 'throttled'])).json.entries).toBe(6);
  });

  it('shows entries on a terminal without what controls it', async () => {
    for (const args of [
      ['show', at, '10'],
      ['search', at, '--model', NASTY],
    ]) {
      const { text } = await run(args);
      expect(text).toContain('HYPERLINK');
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});

describe('glacis log erase', () => {
  it('makes a person unreadable for good, while the log verifies', async () => {
    await run(['search', at, '--outcome', 'throttled']);
    const erased = await run(['erase', at, 'alice', '--by', 'dpo']);
    expect([erased.exit, erased.json.entry]).toEqual([0, COUNT + 1]);
    expect((await run(['erase', at, 'alice', '--by', 'dpo'])).exit).toBe(1);
    expect((await run(['verify', at])).exit).toBe(0);
    expect((await run(['show', at, '8', '--reveal'])).text).not.toContain('alice');
    await expect(run(['show', at, '8', '--reveal', '--payload', join(at, 'out')])).rejects.toMatchObject({
      code: 'vault/key',
    });
    expect((await run(['show', at, '9', '--reveal'])).text).toContain('bob');
    expect((await run(['show', at, String(COUNT + 1)])).json.event).toMatchObject({
      event: 'subject-erased',
      by: 'dpo',
    });
  });

  it('does nothing while a server has the log', async () => {
    const signers = logSigners(await readFile(join(at, 'log-key.pem')), 'example.com/decisions', 'key');
    const writer = await openWriter(folderStore(join(at, 'log')), {
      origin: 'example.com/decisions',
      signers,
      now: () => new Date(),
    });
    await expect(run(['erase', at, 'alice', '--by', 'dpo'])).rejects.toMatchObject({ code: 'ledger/locked' });
    await writer.close();
    expect((await run(['show', at, '8', '--reveal'])).text).toContain('alice');
  });
});

describe('glacis log rotate', () => {
  it('leads who trusts the old keys to the new ones, and nobody else', async () => {
    const old = join(at, 'old.trust.json');
    await cp(join(at, 'log.trust.json'), old);
    await run(['rotate', at, '--by', 'operator']);
    await run(['rotate', at, '--by', 'operator']);
    expect(await readFile(old, 'utf8')).not.toBe(await readFile(join(at, 'log.trust.json'), 'utf8'));
    const recorder = await openRecorder(recordConfig(), { folder: at });
    await recorder.record(decision(400));
    await recorder.close();
    for (const trust of [old, join(at, 'log.trust.json')])
      expect((await run(['verify', at, '--trust', trust])).exit).toBe(0);
    await run(['archive', at, join(at, 'x.archive'), '--until', '300', '--by', 'x']);
    for (const trust of [old, join(at, 'log.trust.json')])
      expect((await run(['verify', at, '--trust', trust])).exit).toBe(0);
    const rotations = join(at, 'rotations');
    const [first = ''] = (await readdir(rotations)).sort();
    await rm(join(rotations, first));
    expect((await run(['verify', at, '--trust', old])).exit).toBe(1);
    expect((await run(['verify', at])).exit).toBe(0);
  });
});

describe('glacis log archive', () => {
  it('moves old entries into a file, says so in the log, and brings them back', async () => {
    const key = join(at, 'archive.key');
    await writeFile(key, 'ab'.repeat(32));
    const file = join(at, 'old.archive');
    await run(['search', at, '--event', 'server-started']);
    await expect(run(['archive', at, file, '--until', '200', '--by', 'x'])).rejects.toMatchObject({
      code: 'option/invalid',
    });
    const { json } = await run([
      'archive',
      at,
      file,
      '--until',
      '300',
      '--by',
      'x',
      '--wrapping-key',
      `file:${key}`,
    ]);
    expect(json).toMatchObject({ from: 0, to: 256, entry: COUNT + 1, encrypted: true });
    expect((await readFile(file)).includes('glacis.decision')).toBe(false);
    const verified = await run(['verify', at]);
    expect([verified.exit, verified.json.archived]).toEqual([0, 256]);
    // Proofs go on as before, and what is not archived is found.
    const out = join(at, 'p');
    await expect(run(['show', at, '8'])).rejects.toMatchObject({ code: 'ledger/unreadable' });
    await run(['prove', at, '270', '--out', out]);
    expect((await run(['search', at, '--event', 'server-started'])).json.found).toEqual([]);
    expect((await run(['reindex', at])).json.entries).toBe(COUNT + 2 - 256);
    expect((await run(['export', at, '--out', out])).json.entries).toBe(COUNT + 2 - 256);
    const recorder = await openRecorder(recordConfig(), { folder: at });
    expect(await recorder.record(decision(500))).toBe(COUNT + 2);
    await recorder.close();
    await expect(run(['restore', at, file])).rejects.toMatchObject({ code: 'vault/key' });
    await run(['restore', at, file, '--wrapping-key', `file:${key}`]);
    const again = await run(['verify', at]);
    expect([again.exit, again.json.archived]).toEqual([0, 0]);
    expect((await run(['show', at, '0'])).json.event.event).toBe('server-started');
  });

  it('is no excuse: dropped entries are a finding, and only what was archived comes back', async () => {
    const file = join(at, 'old.archive');
    await run(['archive', at, file, '--until', '256', '--by', 'x']);
    const list = await readFile(join(at, 'archived.json'), 'utf8');
    await writeFile(join(at, 'archived.json'), list.replace(`"entry": ${COUNT + 1}`, '"entry": 299'));
    const { exit, json } = await run(['verify', at]);
    expect(exit).toBe(1);
    expect(json.findings.map(({ where }: { where: string }) => where)).toEqual([
      'archived.json',
      'entries 0 to 255',
    ]);
    await writeFile(join(at, 'archived.json'), list);
    const bytes = await readFile(file);
    bytes[5000]! ^= 1;
    await writeFile(file, bytes);
    await expect(run(['restore', at, file])).rejects.toMatchObject({
      code: expect.stringMatching(/^ledger/),
    });
    expect((await run(['verify', at])).exit).toBe(0);
  });
});

describe('glacis log witness', () => {
  it('has a log cosigned, keeps that, and shows when the log is changed behind it', async () => {
    const stop = new AbortController();
    let text = '';
    let started: (() => void) | undefined;
    const up = new Promise<void>((resolve) => (started = resolve));
    const memory = join(at, 'witness');
    const serving = command.run({
      given: readArgs(
        ['witness', join(at, 'log.trust.json'), memory, '--name', 'witness.example', '--port', '0'],
        command.options,
      ),
      args: [],
      signal: stop.signal,
      terminal: {
        width: 100,
        print(t) {
          text += t;
          if (t.startsWith('a witness')) started?.();
        },
        say: () => {},
        progress: () => {},
        clear: () => {},
        bold: (t) => t,
      },
    });
    await up;
    const keys = text.split('\n').filter((line) => line.startsWith('witness.example+'));
    const url = /http:\S+/.exec(text)![0];
    expect(keys).toHaveLength(2);
    const ask = () => run(['witness', at, url, ...keys.flatMap((key) => ['--witness-key', key])]);
    expect((await ask()).json).toMatchObject({ size: COUNT + 1 });
    await run(['erase', at, 'alice', '--by', 'dpo']);
    expect((await ask()).json).toMatchObject({ size: COUNT + 2 });
    expect((await readdir(join(at, 'witnessed'))).length).toBe(2);
    expect((await run(['verify', at])).text).toContain('earlier states');
    for (const [path, body, status] of [
      ['/', '', 404],
      ['/add-checkpoint', 'x', 400],
      ['/add-checkpoint', 'x'.repeat(300_000), 413],
    ] as const)
      expect(
        (await fetch(`${url}${path}`, { method: 'POST', body }).catch(() => ({ status: 413 }))).status,
      ).toBe(status);
    stop.abort();
    expect(await serving).toBe(0);
    // The log as it was before, with its own key: only what the witness signed tells.
    for (const name of ['log', 'log.seen']) {
      await rm(join(at, name), { recursive: true });
      await cp(join(made, name), join(at, name), { recursive: true });
    }
    const back = await run(['verify', at]);
    expect([back.exit, back.text]).toEqual([1, expect.stringContaining('an old state was put back')]);
  });
});
