import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleAssessment } from '../../src/assess/result.fixture.ts';
import { issue } from '../../src/supply/sign/certificate.fixture.ts';
import { glacis } from './cli.ts';

const ROOT = join(import.meta.dirname, '../..');
const guide = readFileSync(join(ROOT, 'docs/signing.md'), 'utf8');
/** The command lines of the guide, in order, without the words behind `#`. */
const lines = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap((match) => match[1]!.replace(/\\\n\s*/g, '').split('\n'))
  .filter((line) => line.startsWith('glacis '))
  .map((line) => line.replace(/\s+#.*$/, ''));
/** One needs a token of hardware, which only some machines have, and three ask an authority on the network. */
const runnable = lines.filter((line) => !/pkcs11|^glacis sign sigstore/.test(line));

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-guide-'));
  mkdirSync(join(home, 'model'));
  mkdirSync(join(home, 'glacis-out'));
  writeFileSync(join(home, 'model/weights.bin'), 'weights\n');
  cpSync(join(ROOT, 'examples/traffic-signs/traffic-signs.onnx'), join(home, 'model.onnx'));
  const authority = { authority: true, keyUsage: 0x04 };
  const root = issue({ name: 'root', ...authority });
  const middle = issue({ name: 'middle', issuer: root, ...authority });
  const leaf = issue({ name: 'leaf', issuer: middle, keyUsage: 0x80 });
  for (const [name, { pem }] of Object.entries({ root, intermediate: middle, leaf }))
    writeFileSync(join(home, `${name}.crt`), pem);
  writeFileSync(join(home, 'leaf.pem'), leaf.key.export({ type: 'pkcs8', format: 'pem' }));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What the guide takes for granted before some of its lines. */
const BEFORE: Readonly<Record<string, () => Promise<void>>> = {
  'glacis verify sigstore': async () => {
    for (const name of ['trusted-root.json', 'model.sig'])
      cpSync(join(ROOT, 'test/vectors/sigstore', name), join(home, name));
  },
  'glacis attest key glacis-out': async () => {
    await glacis(['digest', 'model.onnx', '--json', 'digest.json'], { cwd: home });
    const [{ digest }] = JSON.parse(readFileSync(join(home, 'digest.json'), 'utf8')).resources;
    const model = { ...sampleAssessment().model, digest: `sha256:${digest}` };
    writeFileSync(join(home, 'glacis-out/assessment.json'), JSON.stringify({ ...sampleAssessment(), model }));
    writeFileSync(join(home, 'model.training.json'), JSON.stringify({ schema: 'glacis.training/1', model }));
  },
};

describe('the guide to signing', () => {
  it('has command lines', () => {
    expect(runnable.length).toBeGreaterThan(12);
    expect(lines.length).toBe(runnable.length + 4);
  });

  it.each(runnable)('%s', async (line) => {
    for (const [start, prepare] of Object.entries(BEFORE)) if (line.startsWith(start)) await prepare();
    const args = [...line.slice('glacis '.length).matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2]!);
    const { code, stderr } = await glacis(args, { cwd: home });
    expect([code, stderr]).toEqual([0, stderr]);
  });
});
