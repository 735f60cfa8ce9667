import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAllowed } from './allow.ts';
import { matcherOf } from './match.ts';
import { SECRET_RULES } from './rules/registry.ts';
import { SAMPLES, tokenSource } from './tokens.fixture.ts';

const matcher = matcherOf(SECRET_RULES);
const ids = (text: string) => matcher.find(text).map(({ rule }) => rule.id);
const t = tokenSource(7);
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const hub = () => `hf_${t.of(LETTERS, 34)}`;

describe('where a token stands', () => {
  it.each([
    ['after an escaped line end in JSON text', (s: string) => `{"text": "run\\n${s}\\nagain"}`],
    ['in quotes that are escaped', (s: string) => `"source": "token = \\"${s}\\""`],
    ['in the query of an address', (s: string) => `https://x.org/?next=%2Fa%3Ft%3D${s}&b=1`],
    ['at the very begin and end', (s: string) => s],
    ['in a URL', (s: string) => `https://user:${s}@huggingface.co/a/b`],
    ['after letters of another script', (s: string) => `ключ${s}です`],
  ])('it is found %s', (_, text) => {
    expect(ids(text(hub()))).toContain('huggingface-token');
  });

  it('is nothing in the middle of a longer word', () => {
    expect(ids(`x${hub()}`)).toEqual([]);
    expect(ids(`${hub()}AAAAAAAAAAAAAAAAA`)).toEqual([]);
  });

  it('is found once, by the rule that says most', () => {
    expect(ids(`HF_TOKEN = "${hub()}"`)).toEqual(['huggingface-token']);
    expect(ids(`api_key="${SAMPLES['openai-key']!(t)[0]}"`)).toEqual(['openai-key']);
  });

  it('two on one line are two', () => {
    expect(ids(`a = "${hub()}", b = "${hub()}"`)).toHaveLength(2);
  });

  it('names a type between name and value, a default of getenv, YAML, XML and ccxt', () => {
    const key = `${t.of(LETTERS, 60)}1a2B`;
    expect(ids(`binance_secret: str = "${key}"`)).toEqual(['binance-key']);
    expect(ids(`os.getenv("BINANCE_API_KEY", "${key}")`)).toEqual(['binance-key']);
    expect(ids(`binance:\n  x: 1\nbinance_key: ${key}\n`)).toEqual(['binance-key']);
    expect(ids(`<binanceKey>${key}</binanceKey>`)).toEqual(['binance-key']);
    expect(ids(`ccxt.binance({\n  'enableRateLimit': True,\n  'apiKey': '${key}',\n})`)).toEqual([
      'binance-key',
    ]);
  });
});

describe('what is no secret', () => {
  it.each([
    'OPENAI_API_KEY=sk-proj-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'token = os.environ["HF_TOKEN"]',
    `password: ${'$'}{DB_PASSWORD}`,
    'DATABASE_URL=postgresql://postgres:postgres@localhost/db',
    'DATABASE_URL=postgresql://user:<password>@host/db',
    `url = "https://user:${'$'}{TOKEN}@github.com/a/b"`,
    'aws_access_key_id = AKIAIOSFODNN7EXAMPLE',
    'api_key = "your-api-key-goes-here-1234"',
    'max_tokens = 4096, eos_token = "<|endoftext|>", unk_token = "[UNK]"',
    '"tokenizer_class": "GPT2TokenizerFast", "token_id": "50256"',
    'pad_token_id=tokenizer.eos_token_id, secret_name="projects/x/secrets/y1"',
    'password = getpass.getpass("Password1: ")',
    'sha = "0123456789abcdef0123456789abcdef01234567"',
    'commit 5f2f4f1c0c8f4f6f1f2b3c4d5e6f708192a3b4c5 fixes wandb',
    'the author: Basic understanding of transformers',
    '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----',
    'if (questionToken || symbolToken, useAutoImportProvider2) {',
    'password="changeme"',
  ])('%s', (text) => {
    expect(matcher.find(text).map(({ rule }) => rule.id)).toEqual([]);
  });

  it('is the token of the demonstration at jwt.io', () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const demo = `${part({ alg: 'HS256' })}.${part({ sub: '1234567890', name: 'John Doe' })}.${t.of(LETTERS, 43)}`;
    const noHeader = `${part({ kind: 'x', y: 12345 })}.${part({ sub: 'somebody' })}.${t.of(LETTERS, 43)}`;
    expect([ids(demo), ids(noHeader)]).toEqual([[], []]);
  });
});

describe('a comment that allows', () => {
  const allows = (text: string, rule = 'jwt') => {
    const at = text.indexOf('S');
    return isAllowed(text, at, at + 1, rule);
  };
  it('stands on the same line or the one above', () => {
    expect(allows('x = "S"  # glacis:allow-secret')).toBe(true);
    expect(allows('# glacis:allow-secret\nx = "S"')).toBe(true);
  });
  it('does not reach further', () => {
    expect(allows('# glacis:allow-secret\n\nx = "S"')).toBe(false);
    expect(allows('x = "S"\n# glacis:allow-secret')).toBe(false);
    expect(allows('# glacis:allow-secrets-manager\nx = "S"')).toBe(false);
  });
  it('may name the rules it is about', () => {
    expect(allows('x = "S" # glacis:allow-secret(jwt, private-key)')).toBe(true);
    expect(allows('x = "S" # glacis:allow-secret(private-key)')).toBe(false);
  });
});

describe('against secretlint', () => {
  it('finds every sample that the library finds', async () => {
    let both = 0;
    for (const [id, sample] of Object.entries(SAMPLES)) {
      const [secret, around] = sample(tokenSource(11));
      const text = `${around.replace('%', () => secret)}\n`;
      const { messages } = await lintSource({
        source: { content: text, filePath: '/sample.txt', contentType: 'text', ext: '.txt' },
        options: {
          config: { rules: [{ id: 'preset', rule: creator, options: {} }] },
          noPhysicFilePath: true,
        },
      });
      const theirs = messages.filter(({ type }) => type === 'message');
      if (theirs.length === 0) continue;
      both++;
      const ours = matcher.find(text);
      for (const { range } of theirs)
        expect(
          ours.some(({ start, end }) => start < range[1] && end > range[0]),
          id,
        ).toBe(true);
    }
    expect(both).toBeGreaterThan(25);
  });
});

describe('windows', () => {
  it('give the same as the whole text, wherever they are cut', () => {
    const text = `${'# a line of text\n'.repeat(20)}KEY="${hub()}"\n${'x = 1\n'.repeat(20)}`;
    const [whole] = matcher.find(text);
    for (let cut = 0; cut <= text.length; cut += 7) {
      const parts = [...matcher.find(text, { to: cut }), ...matcher.find(text, { from: cut })];
      expect(parts).toEqual([whole]);
    }
  });
});

describe('any text', () => {
  const anchors = SECRET_RULES.flatMap((rule) => rule.anchors);
  const piece = fc.oneof(
    fc.constantFrom(...anchors, ' = "', '":"', '://', '@', '\\n', '%3D', '-----', '=', '_', '-'),
    fc.string({ maxLength: 40, unit: fc.constantFrom(...'aB3/+=_-. "\'\n') }),
    fc.string({ maxLength: 10, unit: 'binary' }),
  );
  it('gives matches inside it, in order, apart from each other, with what stands there', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        let last = 0;
        for (const { start, end, secret } of matcher.find(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(text.slice(start, end)).toBe(secret);
          expect(secret).not.toBe('');
          last = end;
        }
      }),
      { numRuns: 300 },
    );
  });
});
