import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { ggufFile, u64 } from './gguf.fixture.ts';
import { ggufScanner } from './gguf.ts';

const scanners = [ggufScanner];
const scan = (bytes: Uint8Array) => scanBytes(bytes, 'm.gguf', { scanners });
const a = { name: 'a', dims: [32, 2], type: 0, offset: 0 };
const q = { name: 'q', dims: [32, 2], type: 2, offset: 256 };

describe('a GGUF file', () => {
  it('is clean with texts, numbers, lists, tensors and a plain template', async () => {
    const good = ggufFile(
      [
        ['general.architecture', 'llama'],
        ['general.alignment', 32],
        ['tokenizer.ggml.tokens', ['<s>', '__class__', '{{']],
        ['tokenizer.chat_template', "{% for m in messages %}{{ m['content'] }}{% endfor %}"],
      ],
      [a, q],
      256 + 64,
    );
    expect(await scan(good)).toMatchObject({ verdict: 'clean', formats: ['gguf'] });
    expect((await scan(ggufFile([['general.name', 'vocabulary only']]))).verdict).toBe('clean');
  });

  it.each(['tokenizer.chat_template', 'tokenizer.chat_template.tool_use', 'some.other_key'])(
    'CVE-2024-34359: a template in %s that reaches into Python is malicious',
    async (key) => {
      const result = await scan(ggufFile([[key, '{{ ().__class__.__base__.__subclasses__() }}']]));
      expect(result.verdict).toBe('malicious');
      expect(ruleIds(result)).toEqual(['template/python-internals']);
    },
  );

  it.each([
    ['gguf/layout', ggufFile([], [a, { ...q, offset: 128 }], 320)],
    ['gguf/layout', ggufFile([], [a, q], 280)],
    [
      'gguf/duplicate-name',
      ggufFile([
        ['k', 'a'],
        ['k', 'b'],
      ]),
    ],
    ['gguf/duplicate-name', ggufFile([], [a, { ...a, offset: 256 }], 512)],
    ['gguf/counts', ggufFile([], [{ ...a, dims: [2 ** 40, 2 ** 40] }], 320)],
    ['gguf/counts', ggufFile([], [{ ...a, dims: [33], type: 2 }], 320)],
    ['gguf/counts', ggufFile([['general.alignment', 3]])],
    ['gguf/trailing-bytes', ggufFile([], [a], 256 + 33)],
    ['gguf/unknown-type', ggufFile([], [{ ...a, type: 99 }], 256)],
    ['gguf/counts', Buffer.concat([ggufFile([]).subarray(0, 8), u64(2n ** 50n), u64(1)])],
    ['file/damaged', Buffer.concat([ggufFile([]).subarray(0, 8), u64(2n ** 63n), u64(1)])],
    ['file/damaged', ggufFile([['general.name', 'x'.repeat(100)]]).subarray(0, 60)],
    ['file/damaged', Buffer.from('GGUF\x09\0\0\0')],
    ['file/damaged', ggufFile([['k'.repeat(70_000), 'a name longer than any']])],
    ['file/damaged', ggufFile([], [{ ...a, name: 'n'.repeat(70_000) }], 256)],
  ])('is not clean: %s', async (rule, bytes) => {
    const result = await scan(bytes);
    expect(ruleIds(result)).toContain(rule);
    expect(result.verdict).not.toBe('clean');
  });

  it('changed in any byte, or cut anywhere, throws nothing', async () => {
    const bytes = ggufFile(
      [
        ['a', 'text'],
        ['b', ['x', 'y']],
        ['c', 3],
      ],
      [a, q],
      320,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.nat(255),
        fc.nat(bytes.length),
        async (at, value, end) => {
          const changed = Buffer.from(bytes);
          changed[at] = value;
          await scan(changed);
          const cut = await scan(bytes.subarray(0, end));
          if (end < bytes.length - 320 && end >= 4) expect(cut.verdict).not.toBe('clean');
        },
      ),
      { numRuns: 150 },
    );
  });
});
