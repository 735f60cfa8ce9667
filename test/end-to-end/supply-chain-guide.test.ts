import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const [start, ...steps] = [
  ...readFileSync(join(ROOT, 'docs/supply-chain.md'), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm),
].map((match) => match[1]!);

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-walk-'));
  mkdirSync(join(home, 'bin'));
  mkdirSync(join(home, 'examples'));
  const launcher = join(home, 'bin/glacis');
  writeFileSync(launcher, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'bin/glacis.mjs')}' "$@"\n`);
  chmodSync(launcher, 0o755);
  cpSync(join(ROOT, 'examples/traffic-signs'), join(home, 'examples/traffic-signs'), { recursive: true });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs lines as a reader would paste them; the first that fails ends them. */
async function paste(lines: string, folder: string): Promise<{ code: number; text: string }> {
  const environment = {
    ...process.env,
    PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
    XDG_DATA_HOME: join(home, 'data'),
  };
  try {
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', lines], {
      cwd: folder,
      env: environment,
    });
    return { code: 0, text: stdout };
  } catch (thrown) {
    const { code, stdout, stderr } = thrown as { code: number; stdout: string; stderr: string };
    return { code, text: `${stdout}${stderr}` };
  }
}

describe.skipIf(process.platform === 'win32')('the walk-through (skipped on Windows: a POSIX shell)', () => {
  it('takes a model from a download to a promoted release with the commands as they stand', async () => {
    await paste(start!, home);
    const release = join(home, 'release');
    const texts: string[] = [];
    for (const step of steps) {
      const { code, text } = await paste(step, release);
      expect([code, text]).toEqual([0, text]);
      texts.push(text);
    }
    expect(texts.join('')).toContain('LET THROUGH');
    expect(texts.join('')).toContain('signs:candidate is 1');
    const served = readFileSync(join(release, 'served/signs.onnx'));
    expect(served.equals(readFileSync(join(release, 'signs.onnx')))).toBe(true);

    // One byte of a weight.
    served[served.length - 9]! ^= 1;
    writeFileSync(join(release, 'signs.onnx'), served);
    const gate = 'glacis gate signs.onnx --stage candidate --trust release.pub --trust ci.pub';
    const { code, text } = await paste(gate, release);
    expect(code).toBe(1);
    expect(text).toContain('REFUSED');
  }, 300_000);
});
