import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArgs } from '../../src/cli/args.ts';
import { command } from '../../src/cli/incident.ts';
import { glacis } from './cli.ts';

let folder: string;
let drilled: Awaited<ReturnType<typeof glacis>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-drill-'));
  drilled = await glacis(['incident', 'drill', '--out', 'drill', '--json', 'drill.json'], { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A verb in this process: the same as the program does, without the second that each start of it takes. */
async function incident(
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  const terminal = {
    width: 120,
    print: (text: string) => {
      stdout += text;
    },
    say: () => {},
    progress: () => {},
    clear: () => {},
    bold: (text: string) => text,
  };
  const given = readArgs(args, command.options);
  const { signal } = new AbortController();
  try {
    return { code: await command.run({ given, args, terminal, signal }), stdout, stderr: '' };
  } catch (thrown) {
    return { code: 2, stdout, stderr: String(thrown) };
  }
}

const at = (...path: readonly string[]) => join(folder, ...path);

describe('the drill', () => {
  it('goes from the attack to the proof, each step with what shows it', async () => {
    expect(drilled.stderr).not.toContain('NOT OK');
    expect(drilled.code).toBe(0);
    const result = JSON.parse(await readFile(at('drill.json'), 'utf8'));
    expect(result).toMatchObject({ schema: 'glacis.incident.drill/1', ok: true });
    expect(result.steps.map(({ step }: { step: string }) => step)).toEqual([
      'calm traffic',
      'attack',
      'alarm',
      'case',
      'containment',
      'quarantine',
      'throttle',
      'degrade',
      'quarantine of a key',
      'quarantine of a tenant',
      'guard',
      'verify',
      'pause',
      'freeze',
      'impact',
      'rollback',
      'evidence',
      'all lifted',
    ]);
    // How many depends on how soon the machine gets round to the alarm; fewer than the drill would have let pass.
    expect(result.queries).toBeLessThan(2000);
    expect(result.containedAfter).toBeGreaterThanOrEqual(0);
  });

  it('leaves evidence that is checked without a server, and one changed byte is found', async () => {
    const trust = ['--trust', at('drill', 'log.trust.json')];
    const good = await glacis(['incident', 'verify', at('drill', 'evidence.zip'), ...trust]);
    expect([good.code, good.stdout]).toEqual([
      0,
      expect.stringMatching(/events and \d+ decisions are proven/),
    ]);
    const bytes = await readFile(at('drill', 'evidence.zip'));
    bytes[bytes.indexOf('mallory')]! ^= 1;
    await writeFile(at('forged.zip'), bytes);
    const bad = await incident('verify', at('forged.zip'), ...trust);
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringMatching(/NOT OK +case\.json/)]);
    const own = await incident('verify', at('forged.zip'));
    expect([own.code, own.stderr]).toEqual([2, expect.stringMatching(/a bundle cannot vouch for itself/)]);
  });

  it('leaves a data folder whose cases can be read, searched and packed without a server', async () => {
    const data = ['--data-dir', at('drill', 'gateway'), '--by', 'ann'];
    const listed = await incident('list', '--state', 'closed', ...data);
    expect([listed.code, listed.stdout]).toEqual([
      0,
      expect.stringMatching(/^C-\d{4}-0001 {2}(?:high|critical) attack {2}closed/),
    ]);
    const id = listed.stdout.split(' ')[0]!;
    const shown = await incident('show', id, ...data);
    expect(shown.stdout).toMatch(/mallory is probing signs[\s\S]*contained → closed: attack/);
    const whatIf = await glacis([
      'incident',
      'what-if',
      'budget',
      '--queries',
      '20',
      '--days',
      '28',
      ...data,
    ]);
    expect(whatIf.stdout).toMatch(/answered → exhausted: \d+ calls[\s\S]*mallory: \d+ of \d+ \(in a case\)/);
    const impact = await incident('impact', id, '--principal', 'mallory', ...data);
    expect([impact.code, impact.stdout]).toEqual([
      0,
      expect.stringMatching(/^\d+ decisions affected[\s\S]*evidence sha256:/),
    ]);
    const packed = await incident('bundle', id, '--out', at('again.zip'), ...data);
    expect(packed.code).toBe(0);
    const trust = ['--trust', at('drill', 'log.trust.json')];
    const verified = await incident('verify', at('again.zip'), ...trust);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('decisions are proven')]);
    const refused = await incident('act', id, 'pause', '--model', 'signs', ...data);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/a running server/)]);
    const nowhere = await incident('list', '--data-dir', at('nothing'));
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      expect.stringMatching(/expected the store of a server/),
    ]);
  });
});
