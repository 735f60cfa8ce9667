import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { main } from './main.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-monitor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOSTILE = '<script>alert(1)</script>\u202e';

/** Calm calls of some clients, and one client whose rows are far off. */
function pastOf(attack: boolean): string {
  const lines = ['id,time,principal,model,label,score,a,b,c'];
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let i = 0; i < 4000; i++) {
    const eve = attack && i > 3400 && i % 3 === 0;
    const [a, b] = [random(), random()];
    const row = eve ? [9 + a, -9 - b, 20 * random()] : [a, b, a + b + 0.1 * random()];
    lines.push(
      `${i},${1.79e12 + 1000 * i},"${eve ? HOSTILE : `client ${i % 23}`}",fraud,${a > b ? 1 : 0},0.9,${row.join(',')}`,
    );
  }
  const path = join(folder, attack ? 'attack.csv' : 'calm.csv');
  writeFileSync(path, lines.join('\n'));
  return path;
}

const run = async (...argv: readonly string[]) => {
  const texts: string[] = [];
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => texts.push(String(text)) > 0);
  const error = vi.spyOn(process.stderr, 'write').mockImplementation((text) => texts.push(String(text)) > 0);
  try {
    return { code: await main(['monitor', ...argv, '--quiet']), text: texts.join('') };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
};

describe('glacis monitor', () => {
  test('finds who attacked, shows it without what a name smuggles in, and fails where it is asked to', async () => {
    const [json, report] = [join(folder, 'found.json'), join(folder, 'found.html')];
    const { code, text } = await run(pastOf(true), '--fail-on', 'high', '--json', json, '--report', report);
    expect(code).toBe(1);
    expect(text).toContain('seems to copy fraud');
    expect(text).not.toContain('\u202e');
    const page = readFileSync(report, 'utf8');
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&lt;script&gt;alert(1)');
    const found = JSON.parse(readFileSync(json, 'utf8'));
    expect(found).toMatchObject({ schema: 'glacis.monitor/1', decisions: 4000 });
    expect(
      found.alarms.some(({ principals }: { principals: string[] }) => principals.includes(HOSTILE)),
    ).toBe(true);
  });

  test('what was measured on calm decisions is taken up by the configuration', async () => {
    const [out, config] = [join(folder, 'monitors.json'), join(folder, 'glacis.yaml')];
    expect((await run('calibrate', pastOf(false), '--out', out)).code).toBe(0);
    writeFileSync(config, 'serve:\n  monitors:\n    measured: monitors.json\n    slow-bleeding: off\n');
    const json = join(folder, 'calm.json');
    expect((await run(pastOf(false), '--config', config, '--json', json)).code).toBe(0);
    const { states } = JSON.parse(readFileSync(json, 'utf8')) as {
      readonly states: readonly { readonly monitor: string; readonly phase: string }[];
    };
    expect(states.find(({ monitor }) => monitor === 'extraction')!.phase).toBe('watching');
    expect(states.some(({ monitor }) => monitor === 'slow-bleeding')).toBe(false);
  });

  test("another server's log is read in its own format, by name or by a mapping, and nothing else is taken for it", async () => {
    const log = join(folder, 'access.log');
    const line = (i: number) =>
      `10.0.0.${i % 9} - - [22/Nov/2026:09:30:${String(i % 60).padStart(2, '0')} +0000] "POST /v2/models/fraud/infer HTTP/1.1" 200 12 "-" "curl/8"`;
    writeFileSync(log, Array.from({ length: 120 }, (_, i) => line(i)).join('\n'));
    const json = join(folder, 'foreign.json');
    expect((await run(log, '--format', 'nginx', '--json', json)).code).toBe(0);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ decisions: 120, skipped: 0 });
    const mapping = join(folder, 'mapping.yaml');
    writeFileSync(
      mapping,
      "schema: glacis.log-mapping/1\npattern: '(?<who>\\S+) \\S+ \\S+ \\[(?<when>[^\\]]+)\\] .*'\nfields: { time: when, address: who }\n",
    );
    expect((await run(log, '--format', mapping, '--model', 'fraud', '--json', json)).code).toBe(0);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ decisions: 120 });
    const refused = await run(log, '--format', 'envoy');
    expect([refused.code, refused.text]).toEqual([
      2,
      expect.stringMatching(/access\.log:1: expected a line/),
    ]);
    const unknown = await run(log, '--format', 'apache');
    expect([unknown.code, unknown.text]).toEqual([2, expect.stringMatching(/kserve-cloudevents, nginx/)]);
    const folderGiven = await run(folder, '--format', 'nginx');
    expect([folderGiven.code, folderGiven.text]).toEqual([2, expect.stringMatching(/got a folder/)]);
  });

  test('what a log of another server does not say is said, and options of other formats are refused', async () => {
    const vectors = new URL('../monitor/past/foreign/', import.meta.url).pathname;
    const events = join(vectors, 'vectors/payload-events.jsonl');
    const json = join(folder, 'events.json');
    const nobody = await run(
      events,
      '--format',
      'kserve-cloudevents',
      '--json',
      json,
      '--report',
      `${json}.html`,
    );
    expect([nobody.code, nobody.text]).toEqual([0, expect.stringContaining('No decision names its caller')]);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ decisions: 10, unnamed: 10 });
    expect(readFileSync(`${json}.html`, 'utf8')).toContain('No decision names its caller');
    const some = await run(
      events,
      '--format',
      'kserve-cloudevents',
      '--caller-attribute',
      'X-Forwarded-User',
    );
    expect(some.text).toContain('7 of 10 decisions name no caller');
    expect((await run(pastOf(false))).text).not.toContain('caller');
    const trace = join(vectors, 'triton/vectors/trace.json');
    const traced = await run(
      trace,
      `${trace}.1`,
      '--format',
      'triton-trace',
      '--booted',
      '2026-11-01T00:00:00Z',
      '--json',
      json,
    );
    expect(traced.text).toContain('From 2026-11-01T15:27:17');
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ decisions: 7, skipped: 2 });
    for (const [says, ...argv] of [
      ['--format triton-trace with it', events, '--format', 'nginx', '--booted', '2026-11-01'],
      ['--format kserve-cloudevents with it', events, '--caller-attribute', 'user'],
      [
        'which holds a secret',
        events,
        '--format',
        'kserve-cloudevents',
        '--caller-attribute',
        'Authorization',
      ],
      ['letters, digits and dashes', events, '--format', 'kserve-cloudevents', '--caller-attribute', 'a b'],
      ['expected a trace file', join(folder, 'none'), '--format', 'triton-trace'],
    ] as const) {
      const refused = await run(...argv);
      expect([refused.code, refused.text]).toEqual([2, expect.stringContaining(says)]);
    }
  });

  test('true labels are told to the monitors, and said what became of', async () => {
    const labels = join(folder, 'labels.csv');
    const truth = (i: number) => `${i},${i % 10 === 0 ? 0 : 1}`;
    const lines = ['decision,label', ...Array.from({ length: 3000 }, (_, i) => truth(i)), '5,7', 'none,1'];
    writeFileSync(labels, lines.join('\n'));
    const [json, report] = [join(folder, 'labelled.json'), join(folder, 'labelled.html')];
    const given = ['--labels', labels, '--json', json, '--report', report];
    const { code, text } = await run(pastOf(false), ...given);
    expect(code).toBe(0);
    const said = '3,002 labels: 1 of no decision here, 1 came again, 1 of these with something else.';
    expect(text).toContain(said);
    expect(text).toMatch(/fraud: accuracy \d\d\.\d\s% lately; 3000 of 4000 answers have a label/);
    expect(readFileSync(report, 'utf8')).toContain(said);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
      labels: { labels: 3002, unknown: 1, twice: 1, contradicting: 1 },
    });
    const out = join(folder, 'with-labels.json');
    const calibrated = await run('calibrate', pastOf(false), '--labels', labels, '--out', out);
    expect(calibrated.text).toMatch(/fraud: .*accuracy/);
    expect(calibrated.text).toContain(said);
  });

  test('a wrong label is named with its file and line', async () => {
    const labels = join(folder, 'wrong.jsonl');
    writeFileSync(labels, '{"decision":"1","label":1}\n{"decision":"2","label":"cat"}\n');
    const { code, text } = await run(pastOf(false), '--labels', labels);
    expect(code).toBe(2);
    expect(text).toContain(
      "wrong.jsonl, line 2: label: expected a whole number from 0 to 1000000, got 'cat'",
    );
  });

  test.each([
    [[]],
    [['nothing.csv']],
    [['calibrate', 'calm.csv']],
    [['calm.csv', '--fail-on', 'terrible']],
    [['calm.csv', '--config', 'none.yaml']],
  ])('%j is wrong use', async (argv) => {
    pastOf(false);
    const placed = argv.map((word) => (word.endsWith('.csv') ? join(folder, word) : word));
    expect((await run(...placed)).code).toBe(2);
  });
});
