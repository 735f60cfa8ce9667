import { GlacisError } from '../../../core/error.ts';
import { type ByteSource, chunksOf } from '../../../data/byte-source.ts';
import type { Rule } from '../finding.ts';
import type { Probe, ScanContext, Scanner } from '../scanner.ts';
import { judgeTemplate, TEMPLATE_RULES } from './chat-template.ts';
import { CONFIG_RULES } from './config-rules.ts';
import {
  type JsonNode,
  jsonBeginning,
  jsonNodes,
  jsonObject,
  jsonPath,
  parseJson,
  readAll,
} from './json-nodes.ts';
import { isKerasConfig, judgeKerasConfig, KERAS_RULES } from './keras-config.ts';
import { judgePythonName } from './python-names.ts';
import { judgeYamlTags } from './yaml-tags.ts';

/** YAML costs far more than JSON to parse. */
const MAX_YAML = 4 << 20;

/** How YAML begins, or what only YAML would say. */
const YAML =
  /^(?:%YAML|---\s)|^[ -]{0,40}_target_\s{0,10}:|^[\w .-]{1,80}:[ ]{0,4}!(?:!python\/|<tag:yaml|new:|apply:)/m;

/** Keys that are worth a finding when the file is too large to be read as a whole. */
const KEYS = /_target_|auto_map|trust_remote_code|chat_template|class_name|!!python|custom_pipeline/;

/**
 * JSON, the way model folders use it: configurations of Transformers, Diffusers, Hydra, Keras, tokenizers. Text that is JSON and
 * none of these has nothing to report.
 */
export const jsonScanner: Scanner = {
  id: 'json-config',
  title: 'JSON configuration (Transformers, Diffusers, Hydra, Keras, tokenizers)',
  rules: [...Object.values(CONFIG_RULES), ...Object.values(TEMPLATE_RULES), ...Object.values(KERAS_RULES)],
  recognises: ({ name, head }) =>
    /^\s{0,200}(?:\{\s{0,200}(?:["}]|$)|\[\s{0,200}[[{"\]])/.test(jsonBeginning(head)) ||
    /\.json$/i.test(name),
  async scan(source, context) {
    if (source.size > context.budget.limits.readBytes) {
      await searchKeys(source, context);
      return;
    }
    const bytes = await readAll(source);
    let value: unknown;
    try {
      value = parseJson(bytes, context.where);
    } catch (thrown) {
      // Not every text that begins with a brace is JSON. One that is called so, or writes letters as numbers, may be made to
      // parse elsewhere only.
      const text = textOf(bytes);
      if (/\.json$/i.test(context.name) || KEYS.test(text) || /\\u00|\0/.test(text)) throw thrown;
      return;
    }
    await judgeConfig(value, context);
  },
};

/** YAML configurations: Hydra and NeMo, model cards' metadata, conda environments. */
export const yamlScanner: Scanner = {
  id: 'yaml-config',
  title: 'YAML configuration (Hydra, NeMo)',
  rules: [...Object.values(CONFIG_RULES), ...Object.values(TEMPLATE_RULES)],
  recognises: ({ name, head }) => /\.ya?ml$/i.test(name) || (isText(head) && YAML.test(textOf(head))),
  async scan(source, context) {
    if (source.size > MAX_YAML) {
      await searchKeys(source, context);
      return;
    }
    const text = Buffer.from(await readAll(source)).toString();
    judgeYamlTags(text, context.report);
    // Names may be written with escapes.
    if (!KEYS.test(text) && !/\\[xuU]/.test(text)) return;
    // Loaded here, because most scans meet no such file and the program has to start fast.
    const { parseAllDocuments } = await import('yaml');
    try {
      for (const document of parseAllDocuments(text, { strict: false, logLevel: 'silent' }))
        await judgeConfig(document.toJS({ maxAliasCount: 100 }), context);
    } catch (cause) {
      throw new GlacisError(
        'data/unreadable',
        `${context.where}: expected YAML, got text that does not parse`,
        { cause },
      );
    }
  },
};

/** Templates in files of their own, such as `chat_template.jinja`. */
export const jinjaScanner: Scanner = {
  id: 'chat-template',
  title: 'Jinja chat template',
  rules: Object.values(TEMPLATE_RULES),
  recognises: ({ name }) => /\.(?:jinja2?|j2)$/i.test(name),
  async scan(source, context) {
    judgeTemplate(Buffer.from(await readAll(source)).toString(), context.budget, context.report);
  },
};

const textOf = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const isText = (head: Probe['head']) => !head.includes(0);

/** Says that a file too large to be read holds keys that matter. */
async function searchKeys(source: ByteSource, context: ScanContext): Promise<void> {
  let before = '';
  for await (const chunk of chunksOf(source, context.signal)) {
    const text = before + textOf(chunk);
    const key = KEYS.exec(text)?.[0];
    if (key !== undefined) {
      context.report(CONFIG_RULES.tooLarge, `${source.size} bytes, with ${key}`);
      return;
    }
    before = text.slice(-32);
  }
}

/** Looks at every key of a parsed configuration. */
async function judgeConfig(root: unknown, context: ScanContext): Promise<void> {
  let keras = false;
  for (const node of jsonNodes(root, context.budget)) {
    keras ||= isKerasConfig(node.value);
    judgeEntry(node, context);
  }
  if (keras) await judgeKerasConfig(root, 'configuration', context);
}

function judgeEntry(node: JsonNode, context: ScanContext): void {
  const { key, value } = node;
  const say = (rule: Rule, what: string) => context.report(rule, `${jsonPath(node)}: ${what}`);
  switch (key) {
    case '_target_':
    case '__target__':
    case 'class_path':
      if (typeof value === 'string') judgeTarget(value, key, say);
      return;
    case 'auto_map': {
      const names = Object.values(jsonObject(value) ?? {})
        .flat()
        .filter((name) => typeof name === 'string');
      if (names.length > 0) say(CONFIG_RULES.autoMap, names.join(', '));
      return;
    }
    case 'trust_remote_code':
      if (value === true || /^(?:true|1|yes)$/i.test(String(value)))
        say(CONFIG_RULES.trustRemote, String(value));
      return;
    case 'custom_pipeline':
    case 'custom_pipelines':
      if (value !== null && value !== undefined)
        say(CONFIG_RULES.customPipeline, JSON.stringify(value).slice(0, 200));
      return;
    case 'chat_template':
    case 'default_chat_template':
      for (const { value: text } of jsonNodes(value, context.budget))
        if (typeof text === 'string') judgeTemplate(text, context.budget, say);
      return;
  }
}

function judgeTarget(name: string, key: string, say: (rule: Rule, what: string) => void): void {
  const kind = judgePythonName(name.trim().replaceAll(':', '.'));
  if (kind === 'dangerous') say(CONFIG_RULES.target, name);
  else if (kind === 'unknown' && (key !== 'class_path' || name.includes('.')))
    say(CONFIG_RULES.unknownTarget, name);
}
