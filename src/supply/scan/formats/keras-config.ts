import { memorySource } from '../../../data/byte-source.ts';
import type { Rule } from '../finding.ts';
import { isDangerous } from '../pickle/danger.ts';
import type { ScanContext } from '../scanner.ts';
import { TAXONOMY } from '../taxonomy.ts';
import { jsonNodes, jsonObject, jsonPath } from './json-nodes.ts';

/** What may be wrong with the configuration of a Keras model. */
export const KERAS_RULES = {
  lambda: {
    id: 'keras/lambda',
    title: 'A Lambda layer, or a function stored as bytecode',
    verdict: 'malicious',
    severity: 'critical',
    why: 'The layer holds Python bytecode that runs when the model is loaded or used (CVE-2024-3660); safe_mode does not stop it in .h5 files (CVE-2025-9905).',
    taxonomy: [...TAXONOMY.codeOnLoad, 'CVE-2024-3660', 'CVE-2025-9905'],
  },
  module: {
    id: 'keras/dangerous-module',
    title: 'An object from a module that runs code',
    verdict: 'malicious',
    severity: 'critical',
    why: 'Loading imports the module and calls the name in it, whatever safe_mode says (CVE-2025-1550).',
    taxonomy: [...TAXONOMY.codeOnLoad, 'CVE-2025-1550'],
  },
  gadget: {
    id: 'keras/gadget',
    title: 'A function of Keras that does more than compute',
    verdict: 'malicious',
    severity: 'critical',
    why: 'Inside a configuration it is called while the model loads: it fetches files (CVE-2025-8747), loads other models, or switches safe_mode off (CVE-2025-9906).',
    taxonomy: [...TAXONOMY.remoteCode, 'CVE-2025-8747', 'CVE-2025-9906'],
  },
  pickled: {
    id: 'keras/pickled-module',
    title: 'A layer that holds a pickle',
    verdict: 'malicious',
    severity: 'critical',
    why: 'TorchModuleWrapper unpickles its module with torch.load, which runs what the pickle says (CVE-2025-49655).',
    taxonomy: [...TAXONOMY.codeOnLoad, 'CVE-2025-49655'],
  },
  vocabulary: {
    id: 'keras/vocabulary-file',
    title: 'A lookup layer that reads a file',
    verdict: 'malicious',
    severity: 'high',
    why: 'A saved layer has its words in it or in the archive. One with a path or an address reads that file, or asks that server, when it loads (CVE-2025-12058).',
    taxonomy: [...TAXONOMY.graphAccess, 'CWE-918', 'CVE-2025-12058'],
  },
  loader: {
    id: 'keras/loads-another-model',
    title: 'A layer that loads another model or function',
    verdict: 'suspicious',
    severity: 'high',
    why: 'What it loads lies somewhere else and is not checked with this file.',
    taxonomy: TAXONOMY.remoteCode,
  },
  custom: {
    id: 'keras/custom-object',
    title: 'An object that is not part of Keras',
    verdict: 'suspicious',
    severity: 'medium',
    why: 'The program that loads the model must bring the code for it, or imports it by the name in this file.',
    taxonomy: TAXONOMY.remoteCode,
  },
} as const satisfies Record<string, Rule>;

/** Modules whose classes and functions make up a model. */
const KERAS =
  /^(?:tf\.|tensorflow\.|tensorflow\.python\.)?(?:keras|tf_keras|keras_core|keras_nlp|keras_cv|keras_hub)(?:\.|$)/;

/** Parts of Keras whose functions only compute. A function of any other part has no place in a configuration. */
const FUNCTIONS =
  /\.(?:activations|losses|metrics|initializers|regularizers|constraints|ops|random|optimizers|quantizers|layers)(?:\.|$)/;
const GADGET_NAME =
  /^(?:get_file|enable_unsafe_deserialization|load_model|load_weights|load_img|save_model|save_weights|deserialize_keras_object|deserialize|from_config|model_from_json|model_from_config|model_from_yaml|func_load|func_dump|import_module|set_config|custom_object_scope|register_keras_serializable|get_source_inputs|plot_model|model_to_dot|download|extract_archive|_extract_archive|pad_sequences_file|image_dataset_from_directory|text_dataset_from_directory|audio_dataset_from_directory|load_data)$/;
/** Preprocessing layers live in modules that sound like gadgets and are classes. */
const isClassName = (name: string) => /^[A-Z]/.test(name);

const LOADERS = /^(?:TFSMLayer|JaxLayer|FlaxLayer|HubLayer|KerasLayer)$/;
const LOOKUPS = /^(?:StringLookup|IntegerLookup|TextVectorization|IndexLookup)$/;

/** Values of Python that Keras writes with the module `builtins`. */
const BUILTINS =
  /^(?:tuple|list|dict|set|int|float|bool|str|bytes|complex|slice|range|type|ellipsis|NoneType)$/;
const PLAIN_FUNCTION = /^[a-z]\w{0,60}$/;

/** TensorFlow functions that a functional model of Keras 2 records by name; these reach files, Python or the network. */
const TF_FUNCTION =
  /(?:^|\.)(?:io|py_function|numpy_function|py_func|load_library|load_op_library|saved_model|data|distribute|train|summary|debugging|profiler|config|autograph|raw_ops\.(?:.*(?:File|PyFunc|Library|Restore|Save|Print)))(?:\.|$)/;

/** Whether a parsed JSON value looks like a model, layer or object as Keras writes it. */
export function isKerasConfig(value: unknown): boolean {
  const root = jsonObject(value);
  return typeof root?.class_name === 'string' && (root.config !== undefined || root.module !== undefined);
}

/**
 * Looks at every object of a configuration, at any depth: Keras builds each `{class_name, module, config}` that it meets. `name`
 * is how the findings call the text.
 */
export async function judgeKerasConfig(root: unknown, name: string, context: ScanContext): Promise<void> {
  for (const node of jsonNodes(root, context.budget)) {
    const object = jsonObject(node.value);
    if (object === undefined) continue;
    const say = (rule: Rule, what: string) => context.report(rule, `${name} ${jsonPath(node)}: ${what}`);
    if (typeof object.class_name === 'string') await judgeObject(object, object.class_name, say, context);
    // Keras 2 writes a Lambda's bytecode into the layer's own configuration.
    if (object.function_type === 'lambda' || object.output_shape_type === 'lambda')
      say(KERAS_RULES.lambda, 'bytecode of a function');
  }
}

type Say = (rule: Rule, what: string) => void;

async function judgeObject(
  object: Readonly<Record<string, unknown>>,
  className: string,
  say: Say,
  context: ScanContext,
): Promise<void> {
  const module = typeof object.module === 'string' ? object.module : '';
  const registered = typeof object.registered_name === 'string' ? object.registered_name : '';
  const config = jsonObject(object.config);
  const base = className.split('>').at(-1)!;
  if (base === 'Lambda' || className === '__lambda__') say(KERAS_RULES.lambda, className);
  if (base === 'TorchModuleWrapper') {
    say(KERAS_RULES.pickled, className);
    await scanPickled(config?.module, context);
  }
  if (LOADERS.test(base))
    say(KERAS_RULES.loader, `${className} ${JSON.stringify(config?.filepath ?? config?.handle ?? null)}`);
  if (LOOKUPS.test(base)) judgeVocabulary(config, say);
  if (base === 'TFOpLambda' || base === 'SlicingOpLambda') judgeFunctionName(config?.function, say);
  if (className === 'function') {
    const target =
      typeof object.config === 'string' ? object.config : String(jsonObject(object.config)?.name ?? '');
    judgeFunction(module, target, say);
  } else if (className === '__typespec__') judgeTypeSpec(module, object.spec_name, say);
  else if (module !== '') judgeClass(module, base, say);
  else if (GADGET_NAME.test(base)) say(KERAS_RULES.gadget, className);
  else if (className.includes('>') && !/^(?:Builtins|Keras|keras\w*)>/.test(className))
    say(KERAS_RULES.custom, className);
  if (/>/.test(registered) && !/^(?:Builtins|keras\w*)>/.test(registered))
    say(KERAS_RULES.custom, registered);
}

/** A TensorFlow type: a class of TensorFlow's framework whose name says that it is one. */
function judgeTypeSpec(module: string, name: unknown, say: Say): void {
  const known =
    /^tensorflow\.python\.(?:framework|data\.ops|ops\.ragged)\.\w+$/.test(module) &&
    /^\w+Spec$/.test(String(name));
  if (!known) say(KERAS_RULES.module, `${module}.${String(name)}`);
}

function judgeClass(module: string, name: string, say: Say): void {
  const full = `${module}.${name}`;
  if (module === 'builtins' && (BUILTINS.test(name) || name === '')) return;
  if (!KERAS.test(module)) {
    if (isDangerous(module, name)) say(KERAS_RULES.module, full);
    else say(KERAS_RULES.custom, full);
    return;
  }
  // A module that Keras imported is reached as `keras.utils.os` or `keras.src.backend.sys`.
  if (module.split('.').some((step) => isDangerous(step, ''))) say(KERAS_RULES.module, full);
  else if (
    GADGET_NAME.test(name) ||
    (!isClassName(name) && name !== '__tensor__' && name !== '__numpy__' && !name.startsWith('__'))
  )
    say(KERAS_RULES.gadget, full);
}

function judgeFunction(module: string, name: string, say: Say): void {
  const full = `${module}.${name}`;
  if (GADGET_NAME.test(name) || (KERAS.test(module) && !FUNCTIONS.test(module)))
    say(KERAS_RULES.gadget, full);
  else if (module === 'builtins' || module === '') {
    // Keras looks a bare name up among its own functions; Python's would only come out of `builtins` itself.
    if (!PLAIN_FUNCTION.test(name) || isDangerous('builtins', name)) say(KERAS_RULES.module, full);
  } else if (isDangerous(module, name) || module.split('.').some((step) => isDangerous(step, '')))
    say(KERAS_RULES.module, full);
  else if (!KERAS.test(module)) say(KERAS_RULES.custom, full);
}

/** The name of a TensorFlow function in a functional model, e.g. `math.reduce_mean`. */
function judgeFunctionName(name: unknown, say: Say): void {
  if (typeof name === 'string' && TF_FUNCTION.test(name)) say(KERAS_RULES.gadget, `tf.${name}`);
}

function judgeVocabulary(config: Readonly<Record<string, unknown>> | undefined, say: Say): void {
  for (const field of ['vocabulary', 'idf_weights'] as const) {
    const value = config?.[field];
    if (typeof value === 'string' && value !== '')
      say(KERAS_RULES.vocabulary, `${field} ${JSON.stringify(value.slice(0, 200))}`);
  }
}

/** The pickle in a TorchModuleWrapper, shown to all scanners, so that the report says what it would do. */
async function scanPickled(module: unknown, context: ScanContext): Promise<void> {
  const text = typeof module === 'string' ? module : jsonObject(jsonObject(module)?.config)?.value;
  if (typeof text !== 'string') return;
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  await context.nested('TorchModuleWrapper module', memorySource(bytes, context.where));
}
