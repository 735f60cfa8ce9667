import { describe, expect, it } from 'vitest';
import { openTerminal, type TerminalOptions } from './terminal.ts';

/** A terminal whose output and clock a test can see and turn. */
function setUp({ tty, ...more }: { readonly tty: boolean } & Partial<TerminalOptions>) {
  let time = 0;
  const written = { out: '', error: '' };
  const sink = (key: 'out' | 'error') => ({
    isTTY: tty,
    columns: 100,
    write: (text: string) => {
      written[key] += text;
    },
  });
  const terminal = openTerminal({
    out: sink('out'),
    error: sink('error'),
    quiet: false,
    env: {},
    now: () => time,
    ...more,
  });
  return {
    terminal,
    written,
    at: (ms: number) => {
      time = ms;
    },
  };
}

const update = (done: number) => ({ label: 'pgd', done, total: 100, note: '3 fallen' });

describe('openTerminal', () => {
  it('draws a bar on a terminal and takes it away before other text', () => {
    const { terminal, written, at } = setUp({ tty: true });
    terminal.progress(update(10));
    at(5000);
    terminal.progress(update(50));
    expect(written.error).toContain('██████████░░░░░░░░░░ 50 % · pgd · 3 fallen · about 5 s left');
    terminal.say('done');
    expect(written.error.endsWith('\r\x1b[2Kdone\n')).toBe(true);
  });

  it('never writes a bar wider than the terminal', () => {
    const { terminal, written } = setUp({ tty: true });
    terminal.progress({ ...update(10), label: 'x'.repeat(300) });
    expect(written.error.replace('\r\x1b[2K', '').length).toBeLessThan(100);
  });

  it('writes a line every few seconds elsewhere, without control characters', () => {
    const { terminal, written, at } = setUp({ tty: false });
    for (let ms = 0; ms <= 12_000; ms += 100) {
      at(ms);
      terminal.progress(update(ms / 200));
    }
    const lines = written.error.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const sign of ['\r', '\x1b', '█']) expect(written.error).not.toContain(sign);
  });

  it('says warnings alone when only these are wanted', () => {
    const { terminal, written, at } = setUp({ tty: false, warningsOnly: true });
    terminal.say('Signature: model.sig');
    terminal.say('Warning: a link that leads out');
    terminal.progress(update(10));
    at(60_000);
    terminal.progress(update(20));
    expect(written.error).toBe('Warning: a link that leads out\n');
  });

  it('says nothing but results when it is to be quiet', () => {
    const { terminal, written, at } = setUp({ tty: true, quiet: true });
    at(60_000);
    terminal.progress(update(1));
    terminal.say('a note');
    terminal.print('the result\n');
    expect(written).toEqual({ out: 'the result\n', error: '' });
  });

  it('leaves colours out for NO_COLOR and for files', () => {
    expect(setUp({ tty: true }).terminal.bold('a')).toBe('\x1b[1ma\x1b[22m');
    expect(setUp({ tty: true, env: { NO_COLOR: '1' } }).terminal.bold('a')).toBe('a');
    expect(setUp({ tty: false }).terminal.bold('a')).toBe('a');
  });
});
