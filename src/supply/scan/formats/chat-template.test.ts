import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SCAN_LIMITS, newBudget } from '../limits.ts';
import { judgeTemplate } from './chat-template.ts';

const budget = () => newBudget(DEFAULT_SCAN_LIMITS, () => 0);
function rulesOf(template: string): readonly string[] {
  const rules = new Set<string>();
  judgeTemplate(template, budget(), (rule) => rules.add(rule.id.replace('template/', '')));
  return [...rules].sort();
}

/** The constructs of templates in use: ChatML, Llama 3 tools, Mistral, DeepSeek, Gemma, vision models. */
const GOOD = [
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  "{%- set ns = namespace(is_first=false, is_tool=false, system_prompt='') -%}{%- for message in messages %}{%- if message['role'] == 'system' %}{%- set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}",
  "{%- if content is string and '</think>' in content %}{%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- endif %}",
  '{%- for tool in tools %}{{- tool | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}{{- "Environment: ipython\\n" }}',
  "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}",
  "{%- set date_string = strftime_now('%d %b %Y') %}{%- set m = messages | selectattr('role', 'equalto', 'user') | list %}{{ messages | map(attribute='content') | join('') }}",
  "{%- macro render(items) %}{%- for i in items[1:] %}{{ loop.index0 }}{{ '%s' | format(i) }}{%- endfor %}{%- endmacro %}{{ render(messages) }}",
  "{# a comment on __class__ and {{ cycler.__init__ }} #}plain text about __init__ and {{ '<__media__>' }}{{ '<image>' * 3 }}",
  '{% for i in range(0, messages|length, 2) %}{{ messages[i].content | trim }}{% endfor %}{% generation %}x{% endgeneration %}',
  "{{ '{%s: %d}' | format('a', 1) }}{{ message.content.startswith('_') }}{{ message.tool_calls[0].function.arguments | items }}",
];

describe('chat templates in use', () => {
  it.each(GOOD)('have nothing to report: %s', (template) => {
    expect(rulesOf(template)).toEqual([]);
  });
});

describe('templates that reach out', () => {
  it.each([
    [
      'CVE-2024-34359 (llama-cpp-python): subclasses of an empty tuple',
      "{% for c in ().__class__.__base__.__subclasses__() %}{% if 'warning' in c.__name__ %}{{ c()._module.__builtins__['__import__']('os').popen('id').read() }}{% endif %}{% endfor %}",
      'python-internals',
    ],
    [
      'CVE-2026-5760 (SGLang): globals of a helper',
      '{{ cycler.__init__.__globals__.os.popen("id").read() }}',
      'python-internals',
    ],
    ['names as text', "{{ messages['__class__']['__mro__'][1] }}", 'python-internals'],
    ['names in escapes', "{{ messages['\\x5f\\x5fclass\\x5f\\x5f'] }}", 'python-internals'],
    [
      'names in octal and Unicode escapes',
      "{{ x['\\137\\137class\\137\\137'] }}{{ y['\\u005f_init_\\u005f'] }}",
      'python-internals',
    ],
    ['names in wide letters, which Python takes for the same', '{{ x.＿＿class＿＿ }}', 'python-internals'],
    ['names put together from parts', "{{ x['_' ~ '_class_' ~ '_'] }}", 'python-internals'],
    ['names put together by repetition', "{{ x[('_' * 2) + 'class' + ('_' * 2)] }}", 'python-internals'],
    ['one underscore', '{{ self._TemplateReference__context }}', 'python-internals'],
    ['the attr filter', "{{ x|attr('cla' 'ss') }}", 'detour'],
    ['the attr filter through map', "{{ [x]|map('attr', y)|list }}", 'detour'],
    ['attributes through map', "{{ [x]|map(attribute='__class__')|list }}", 'detour'],
    ['attributes through format', "{{ '{0.secret}'.format(x) }}", 'detour'],
    ['attributes through the format filter', "{{ '%c%cclass' | format(95, 95) }}", 'detour'],
    ['functions of Python', "{{ open('/etc/passwd') }}", 'python-internals'],
    ['methods of Python', '{{ namespace(a=1).mro() }}', 'python-internals'],
    ['helpers of Jinja', '{{ joiner.x }}', 'render-context'],
    ['helpers of Flask', '{{ config["KEY"] }}{{ lipsum | x }}', 'render-context'],
    ['other files', "{% include '/etc/passwd' %}", 'includes'],
    ['other files, trimmed', "{%- from 'a' import b %}", 'includes'],
    ['an endless range', '{% for i in range(10000000) %}x{% endfor %}', 'exhaustion'],
    ['an endless repetition', "{{ 'x' * 999_999_999 }}", 'exhaustion'],
    ['a block without an end', '{{ x.__class__', 'python-internals'],
    ['a block behind a quote with a brace in it', "{{ '}}' }}{{ x.__class__ }}", 'python-internals'],
    ['a block behind a comment without an end before it', '{{ "{#" }}{{ x.__class__ }}', 'python-internals'],
  ])('%s', (_, template, rule) => {
    const found = rulesOf(template);
    expect(found).toContain({ detour: 'attribute-detour' }[rule] ?? rule);
  });

  it('of many megabytes are reported, not read', () => {
    expect(rulesOf('{{ x }}'.repeat(700_000))).toEqual(['exhaustion']);
  });

  it('of hostile quotes cost no more than their length', () => {
    for (const part of ["'\\'", '"\\"', '{{', "{{'", '{%', '{#', '}}', '\\'])
      expect(() => rulesOf(`{{ '${part.repeat(300_000)}`)).not.toThrow();
  });

  it('made of any pieces throw nothing', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '{%',
      '%}',
      '{#',
      '#}',
      "'",
      '"',
      '\\',
      '__class__',
      '.',
      '|',
      'attr',
      '(',
      ')',
      ' ',
      'x',
      '_',
      '\n',
      '\\x5f',
      '9999999999',
    );
    fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void rulesOf(pieces.join(''))));
  });
});
