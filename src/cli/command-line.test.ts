import { describe, expect, it } from 'vitest';
import { commandLine } from './command-line.ts';

describe('commandLine', () => {
  it('quotes what a shell would take apart', () => {
    expect(commandLine(['assess', 'my model.onnx', "it's", 'pgd(steps=3)', '8/255'])).toBe(
      `glacis assess 'my model.onnx' 'it'\\''s' 'pgd(steps=3)' 8/255`,
    );
  });

  it.each([
    [['--header', 'authorization=Bearer hunter2'], "--header 'authorization=…'"],
    [['--header=x-key=hunter2=='], "'--header=x-key=…'"],
    [['--header', 'hunter2'], "--header '…'"],
    [['--token', 'hunter2', '--token-b=hunter2'], "--token '…' '--token-b=…'"],
    [['https://me:hunter2@h/v2/models/m'], 'https://h/v2/models/m'],
    [['grpcs://hunter2@h:8001/v2/models/m'], 'grpcs://h:8001/v2/models/m'],
    [['--url-b=http://me:hunter2@h/m'], '--url-b=http://h/m'],
    // glacis:allow-secret(url-password)
    [['HTTP://me:hunter@2@h/m'], 'HTTP://h/m'],
  ])('leaves secrets out: %j', (args, shown) => {
    expect(commandLine(args)).toBe(`glacis ${shown}`);
  });

  it('leaves everything else as it is', () => {
    const args = ['assess', 'm.onnx', '--out', 'http://a/b@c', '--fix', 'header=m.npy', '--seed=1'];
    expect(commandLine(args)).toBe(`glacis ${args.join(' ')}`);
  });
});
