import type { Rule } from '../finding.ts';
import { isDangerous } from '../pickle/danger.ts';
import type { Scanner } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { jsonNodes, jsonObject, jsonPath, parseJson, readAll } from './json-nodes.ts';

const SKOPS_RULES = {
  dangerous: {
    id: 'skops/dangerous-name',
    title: 'An object that runs code',
    verdict: 'malicious',
    severity: 'critical',
    why: 'Whoever trusts the types of this file imports and calls it.',
    taxonomy: [...TAXONOMY.codeOnLoad, 'CVE-2024-37065'],
  },
  disguise: {
    id: 'skops/disguised-node',
    title: 'A node that is not what it says',
    verdict: 'malicious',
    severity: 'critical',
    why: 'The loader checks one name and calls another (CVE-2025-54412, CVE-2025-54413, CVE-2025-54886).',
    taxonomy: [...TAXONOMY.codeOnLoad, 'CVE-2025-54412', 'CVE-2025-54413', 'CVE-2025-54886'],
  },
  unknown: {
    id: 'skops/unknown-type',
    title: 'A type that skops does not trust by itself',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'Loading it needs somebody to say that it may be trusted; what it does is not known here.',
    taxonomy: TAXONOMY.remoteCode,
  },
} as const satisfies Record<string, Rule>;

/** Modules whose types make up models and that skops trusts, by its own lists. */
const TRUSTED = /^(?:sklearn|numpy|scipy|lightgbm|xgboost|catboost|quantile_forest)(?:\.|$)/;
const PLAIN =
  /^(?:bool|bytearray|bytes|complex|dict|float|frozenset|int|list|set|slice|str|tuple|NoneType|type|object|range)$/;
const COLLECTIONS = /^(?:OrderedDict|defaultdict|Counter|deque)$/;
/** Functions of scikit-learn that its estimators keep under their private names. */
const KEPT: ReadonlySet<string> = new Set([
  'sklearn.cluster._kmeans._kmeans_single_lloyd',
  'sklearn.cluster._kmeans._kmeans_single_elkan',
]);
/** Functions of the module operator that call or read what their argument names. */
const OPERATOR_CALLS = /^(?:call|methodcaller|attrgetter|setitem|delitem|iconcat|__\w+__)$/;

/** skops: a zip with arrays and a `schema.json` that says which objects to build. Source: skops.io, `get_untrusted_types`. */
export const skopsScanner: Scanner = {
  id: 'skops',
  title: 'skops (scikit-learn)',
  rules: Object.values(SKOPS_RULES),
  recognises({ name, head }) {
    // The loader takes the schema by its name, and what it is told first may be longer than what is seen of a file.
    if (/(?:^|\/)schema\.json$/.test(name)) return true;
    const begin = Buffer.from(head.buffer, head.byteOffset, head.length);
    return (
      /^\s{0,100}\{/.test(begin.toString('latin1', 0, 101)) &&
      /"__loader__"|"_skops_version"/.test(begin.toString('latin1'))
    );
  },
  async scan(source, context) {
    const root = parseJson(await readAll(source), context.where);
    for (const node of jsonNodes(root, context.budget)) {
      const object = jsonObject(node.value);
      if (object === undefined || typeof object.__loader__ !== 'string') continue;
      for (const { rule, what } of judgeNode(object, object.__loader__))
        context.report(rule, `${jsonPath(node)}: ${what}`);
    }
  },
};

interface Said {
  readonly rule: Rule;
  readonly what: string;
}

function* judgeNode(node: Readonly<Record<string, unknown>>, loader: string): Generator<Said> {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const [module, name] = [text(node.__module__), text(node.__class__)];
  const content = jsonObject(node.content);
  yield* judgeName(module, name);
  if (loader === 'FunctionNode' || loader === 'TypeNode') {
    const [path, fn] = [
      text(content?.module_path ?? content?.module),
      text(content?.function ?? content?.name),
    ];
    if (path !== '' || fn !== '') yield* judgeName(path, fn);
  } else if (loader === 'OperatorFuncNode') {
    if (module !== 'operator')
      yield { rule: SKOPS_RULES.disguise, what: `OperatorFuncNode of ${module}.${name}` };
    else if (OPERATOR_CALLS.test(name)) yield { rule: SKOPS_RULES.dangerous, what: `operator.${name}` };
  } else if (loader === 'MethodNode') {
    const method = text(content?.func ?? content?.method);
    const owner = jsonObject(content?.obj);
    if (/^_/.test(method))
      yield { rule: SKOPS_RULES.disguise, what: `method ${method} of ${module}.${name}` };
    else if (owner !== undefined && (owner.__class__ !== name || owner.__module__ !== module))
      yield {
        rule: SKOPS_RULES.disguise,
        what: `method ${method} said to be of ${module}.${name}, and of ${text(owner.__module__)}.${text(owner.__class__)}`,
      };
  }
}

function* judgeName(module: string, name: string): Generator<Said> {
  const full = `${module}.${name}`;
  if (
    module === 'operator' ||
    (module === 'builtins' && PLAIN.test(name)) ||
    (module === 'functools' && name === 'partial')
  )
    return;
  if (KEPT.has(full)) return;
  if (module === 'collections' && COLLECTIONS.test(name)) return;
  if (isDangerous(module, name)) yield { rule: SKOPS_RULES.dangerous, what: full };
  else if (!TRUSTED.test(module) || /^_|\._|\.\.|__/.test(name)) {
    // Classes with an underscore in front are scikit-learn's own: _SigmoidCalibration, _PredictScorer.
    if (!(TRUSTED.test(module) && /^_[A-Z]\w*$/.test(name))) yield { rule: SKOPS_RULES.unknown, what: full };
  }
}
