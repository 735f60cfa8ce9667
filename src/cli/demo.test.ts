import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAssessment } from '../assess/result-json.ts';
import { openDataset } from '../data/index.ts';
import { readArgs } from './args.ts';
import { command } from './demo.ts';
import type { Terminal } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Milliseconds for a whole run, on a machine that has much else to do. */
const PATIENCE = 120_000;

/** Runs the command and gives what it wrote. */
async function run(args: readonly string[], signal = new AbortController().signal) {
  const printed: string[] = [];
  const said: string[] = [];
  const terminal: Terminal = {
    width: 96,
    print: (text) => printed.push(text),
    say: (line) => said.push(line),
    progress: () => {},
    clear: () => {},
    bold: (text) => text,
  };
  const code = await command.run({ given: readArgs(args, command.options), args, terminal, signal });
  return { code, text: printed.join(''), said: said.join('\n') };
}

describe('glacis demo', () => {
  const out = join(folder, 'whole');

  it(
    'assesses the bundled model and leaves a report, the figures and the pictures',
    async () => {
      const { code, text, said } = await run(['--n', '24', '--seed', '5', '--out', out]);
      expect(code).toBe(0);
      expect(said).toContain('24 that it has never seen');
      const assessment = parseAssessment(readFileSync(join(out, 'assessment.json'), 'utf8'));
      expect(assessment.results.map((r) => [r.attack, r.n])).toEqual(
        [1, 2, 4, 8].flatMap(() => [
          ['fgsm', 24],
          ['pgd', 24],
        ]),
      );
      expect(assessment.data.classNames).toContain('Stop');
      const [first, strongest] = [assessment.results[0]!, assessment.results.at(-1)!];
      expect(first.cleanAccuracy).toBeGreaterThan(0.85);
      expect(strongest.robustAccuracy).toBeLessThan(0.3);
      for (const { perSample } of assessment.results) expect(existsSync(join(out, perSample))).toBe(true);
      const report = readFileSync(join(out, 'report.html'), 'utf8');
      expect(report).toContain('What the attacks look like');
      expect(report).toContain('traffic-signs.onnx');
      const pictures = await openDataset(join(out, 'signs.npz'));
      expect([pictures.n, pictures.sampleShape, pictures.dtype]).toEqual([24, [3, 32, 32], 'uint8']);
      await pictures.close();
      expect(text.replaceAll('\n', ' ')).toContain('trained on clean pictures only');
      expect(text).toContain(join(out, 'report.html'));
      expect(text).toMatch(/at most 8\/255 +\d/);
      const after = parseAssessment(readFileSync(join(out, 'hardened/assessment.json'), 'utf8'));
      expect(after.results.at(-1)!.robustAccuracy).toBeGreaterThan(strongest.robustAccuracy + 0.3);
      expect(after.results[0]!.cleanAccuracy).toBeGreaterThan(0.85);
      const comparison = readFileSync(join(out, 'comparison.html'), 'utf8');
      expect(comparison).toContain('traffic-signs.onnx');
      expect(comparison).toContain('hardened.onnx');
      expect(text.replaceAll('\n', ' ')).toMatch(/Hardening keeps \d+\.\d % right at 8\/255/);
      expect(text).toMatch(/because it is signed by/);
      expect(text).toMatch(/refused after \d+ questions/);
      expect(text).toMatch(/entry \d+ of a log of \d+, checked without the server/);
    },
    PATIENCE,
  );

  it(
    'gives the same figures for the same seed',
    async () => {
      const again = join(folder, 'again');
      await run(['--n', '24', '--seed', '5', '--out', again]);
      const figures = (place: string) =>
        parseAssessment(readFileSync(join(place, 'assessment.json'), 'utf8')).results.map(
          ({ seconds: _, secondsToSuccess: __, ...rest }) => rest,
        );
      expect(figures(again)).toEqual(figures(out));
    },
    PATIENCE,
  );

  it('takes no model', async () => {
    await expect(run(['model.onnx'])).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringContaining('glacis assess model.onnx --data DATA'),
    });
  });

  it('refuses a wrong number of pictures and a place that is no folder', async () => {
    await expect(run(['--n', '0'])).rejects.toMatchObject({ code: 'option/invalid' });
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(run(['--out', join(file, 'below')])).rejects.toMatchObject({ code: 'output/unwritable' });
  });

  it('stops while it renders', async () => {
    await expect(run(['--out', join(folder, 'stopped')], AbortSignal.abort('Ctrl-C'))).rejects.toMatchObject({
      code: 'run/cancelled',
    });
    expect(existsSync(join(folder, 'stopped', 'report.html'))).toBe(false);
  });
});
