import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { jinjaScanner, jsonScanner, yamlScanner } from './config.ts';

const scanners = [jsonScanner, yamlScanner, jinjaScanner];
const scan = (text: string, name = 'config.json') => scanBytes(Buffer.from(text), name, { scanners });
const json = (value: unknown, name?: string) => scan(JSON.stringify(value), name);
const ids = async (value: unknown, name?: string) => ruleIds(await json(value, name));

describe('JSON configurations', () => {
  it('of Transformers, Diffusers, tokenizers and Hydra have nothing to report', async () => {
    const good = [
      { model_type: 'llama', architectures: ['LlamaForCausalLM'], auto_map: null, trust_remote_code: false },
      {
        _class_name: 'StableDiffusionPipeline',
        unet: ['diffusers', 'UNet2DConditionModel'],
        feature_extractor: [null, null],
      },
      {
        tokenizer_class: 'X',
        chat_template: "{{ messages[0]['content'] }}",
        added_tokens_decoder: { '1': { content: '<s>' } },
      },
      { chat_template: [{ name: 'default', template: '{{ bos_token }}' }] },
      {
        model: {
          _target_: 'nemo.collections.asr.models.EncDecCTCModel',
          optim: { _target_: 'torch.optim.AdamW', lr: 1e-3 },
        },
      },
      { data: { _target_: 'nemo.collections.common.data.types.Batch' } },
      [1, 2, 3],
    ];
    for (const config of good)
      expect(await json(config), JSON.stringify(config)).toMatchObject({ verdict: 'clean' });
  });

  it.each([
    'os.system',
    'builtins.eval',
    'subprocess.Popen',
    'torch.load',
    'numpy.load',
    'hydra.utils.get_method',
    'torch.nn.os.system',
    'nemo.core.sys.modules',
    'pathlib.os.system',
    'a.__globals__.b',
    'importlib.import_module',
  ])('CVE-2025-23304: _target_ %s is malicious, at any depth', async (name) => {
    const result = await json({ a: [{ b: { _target_: name, _args_: ['id'] } }] });
    expect([result.verdict, ruleIds(result)]).toEqual(['malicious', ['config/dangerous-target']]);
  });

  it('with a _target_ that nobody knows are suspicious', async () => {
    expect(await json({ _target_: 'flextok.model.Model' })).toMatchObject({ verdict: 'suspicious' });
    expect(await ids({ _target_: 'transformers.AutoModel.from_pretrained' })).toEqual([
      'config/unknown-target',
    ]);
    expect(await ids({ class_path: 'my.module.Class' })).toEqual(['config/unknown-target']);
  });

  it.each([
    ['config/auto-map', { auto_map: { AutoModel: 'modeling_x.XModel' } }],
    ['config/auto-map', { auto_map: { AutoTokenizer: ['other/repo--tok.T', null] } }],
    ['config/trust-remote-code', { text_config: { trust_remote_code: true } }],
    ['config/trust-remote-code', { trust_remote_code: 'True' }],
    ['config/custom-pipeline', { custom_pipelines: { x: { impl: 'x.X' } } }],
    ['template/python-internals', { chat_template: '{{ x.__class__ }}' }],
    ['template/python-internals', { chat_template: [{ name: 'a', template: '{{ x.__class__ }}' }] }],
  ])('report %s', async (rule, config) => {
    expect(await ids(config)).toEqual([rule]);
    expect(await ids(config, 'renamed.txt')).toEqual([rule]);
  });

  it('that do not parse are unreadable where they hold a key that matters', async () => {
    expect(ruleIds(await scan('{"_target_": "os.system",}'))).toEqual(['file/damaged']);
    expect((await scan('{ not json at all', 'a.txt')).verdict).toBe('clean');
  });

  it('are read as Python reads them: in UTF-16, with NaN, with letters written as numbers', async () => {
    const config = '{"x": NaN, "y": [-Infinity], "\\u005ftarget_": "os.system", "s": "NaN"}';
    for (const bytes of [
      Buffer.from(config),
      Buffer.from(config, 'utf16le'),
      Buffer.from(config, 'utf16le').swap16(),
      Buffer.from(`\ufeff${config}`),
    ])
      expect(ruleIds(await scanBytes(bytes, 'a', { scanners }))).toEqual(['config/dangerous-target']);
    const wide = Buffer.from([...config].flatMap((c) => [c.charCodeAt(0), 0, 0, 0]));
    expect(ruleIds(await scanBytes(wide, 'a', { scanners }))).toEqual(['file/damaged']);
    expect(ruleIds(await scan('{"\\u005ftarget_": "os.system", x}', 'a'))).toEqual(['file/damaged']);
  });

  it('too large to read are unreadable where they hold a key that matters', async () => {
    const limits = { readBytes: 1 << 20 };
    const filler = `"${'x'.repeat(2 << 20)}"`;
    const big = (text: string) => scanBytes(Buffer.from(text), 'a.json', { scanners, limits });
    expect(ruleIds(await big(`[${filler}, {"auto_map": {}}]`))).toEqual(['config/too-large']);
    expect((await big(`[${filler}]`)).verdict).toBe('clean');
  });

  it('made of any JSON throw nothing', async () => {
    const key = fc.constantFrom(
      '_target_',
      'auto_map',
      'chat_template',
      'class_name',
      'config',
      'module',
      'trust_remote_code',
      'x',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue(),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(tree, async (value) => {
        expect(ruleIds(await json(value))).not.toContain('file/scanner-failed');
      }),
      { numRuns: 150 },
    );
  });
});

describe('YAML configurations', () => {
  it('of Hydra have nothing to report', async () => {
    const good = 'model:\n  _target_: torch.nn.Linear\n  in_features: 3\nsize: 3\n';
    expect(await scan(good, 'config.yaml')).toMatchObject({ verdict: 'clean', formats: ['yaml-config'] });
  });
  it.each([
    ['config/dangerous-target', 'a:\n  - _target_: os.system\n    command: id\n'],
    ['config/python-tag', 'a: !!python/object/apply:os.system ["id"]\n'],
    ['config/python-tag', 'a: !<tag:yaml.org,2002:python/name:os.system> x\n'],
    ['config/python-tag', '%TAG !p! tag:yaml.org,2002:pyth\n---\na: !p!on/object/apply:os.system ["id"]\n'],
    ['config/python-tag', 'a: !<tag:yaml.org,2002:%70ython/object/new:os.system> x\n'],
    ['config/python-tag', 'a: [!!python/name:os.system x]\n'],
    ['config/dangerous-target', 'a: !apply:os.system\n'],
    ['config/unknown-target', 'a: !new:speechbrain.x.Y\n'],
    ['config/dangerous-target', '"\\x5ftarget_": os.system\n'],
    ['config/trust-remote-code', 'trust_remote_code: true\n'],
  ])('report %s', async (rule, text) => {
    expect(ruleIds(await scan(text, 'x.yaml'))).toContain(rule);
  });
  it('that expand without end are unreadable', async () => {
    const lines = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    const bomb = `_target_: torch.nn.Linear\na0: &a0 [x]\n${lines.join('\n')}\n`;
    expect(ruleIds(await scan(bomb, 'x.yaml'))).toContain('file/damaged');
  });
});

describe('a template in a file of its own', () => {
  it('is read as one', async () => {
    expect(ruleIds(await scan('{{ x.__class__ }}', 'chat_template.jinja'))).toEqual([
      'template/python-internals',
    ]);
  });
});
