import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { jsonScanner } from './config.ts';

const scan = (value: unknown) =>
  scanBytes(Buffer.from(JSON.stringify(value)), 'config.json', { scanners: [jsonScanner] });

/** A model as Keras 3 writes it, with `layer` two levels deep. */
const model = (layer: unknown) => ({
  module: 'keras',
  class_name: 'Sequential',
  config: {
    name: 'outer',
    layers: [
      {
        module: 'keras.layers',
        class_name: 'InputLayer',
        config: { batch_shape: [null, 4] },
        registered_name: null,
      },
      {
        module: 'keras.src.models.functional',
        class_name: 'Functional',
        config: { layers: [layer] },
        registered_name: 'Functional',
      },
    ],
  },
  registered_name: null,
  compile_config: {
    optimizer: { module: 'keras.optimizers', class_name: 'Adam', config: {}, registered_name: null },
    loss: 'mse',
  },
});
const keras = (name: string, config: unknown, module = 'keras.layers') => ({
  module,
  class_name: name,
  config,
  registered_name: null,
});
const fn = (module: string, config: string) => ({
  module,
  class_name: 'function',
  config,
  registered_name: 'function',
});

describe('a Keras configuration', () => {
  it('of ordinary layers has nothing to report', async () => {
    const good = [
      keras('Dense', {
        units: 3,
        activation: 'relu',
        kernel_initializer: keras('GlorotUniform', {}, 'keras.initializers'),
      }),
      keras('Activation', { activation: fn('builtins', 'relu') }),
      keras('Dense', { dtype: keras('DTypePolicy', { name: 'float32' }, 'keras') }),
      keras('StringLookup', { vocabulary: ['a', 'b'], vocabulary_size: 2 }),
      keras('TextVectorization', { vocabulary: null, idf_weights: null }),
      keras('Rescaling', { scale: 0.5 }, 'keras.src.layers.preprocessing.rescaling'),
      { class_name: '__tuple__', items: [1, 2] },
      { class_name: 'TFOpLambda', config: { name: 'tf.math.reduce_mean', function: 'math.reduce_mean' } },
      fn('keras.losses', 'mean_squared_error'),
      {
        class_name: '__typespec__',
        module: 'tensorflow.python.framework.tensor_spec',
        spec_name: 'TensorSpec',
      },
    ];
    for (const layer of good)
      expect(await scan(model(layer)), JSON.stringify(layer)).toMatchObject({
        verdict: 'clean',
        formats: ['json-config'],
      });
  });

  it.each([
    [
      'CVE-2024-3660: a Lambda layer of Keras 2',
      'keras/lambda',
      { class_name: 'Lambda', config: { function: ['4wEAAAA=', null, null], function_type: 'lambda' } },
    ],
    [
      'CVE-2024-3660: a Lambda layer of Keras 3',
      'keras/lambda',
      keras('Lambda', { function: { class_name: '__lambda__', config: { code: '4wEAAAA=' } } }),
    ],
    [
      'CVE-2024-3660: bytecode anywhere else',
      'keras/lambda',
      keras('Dense', { activation: { class_name: '__lambda__', config: { code: 'x' } } }),
    ],
    [
      'CVE-2025-9905: a Lambda under a registered name',
      'keras/lambda',
      { class_name: 'Custom>Lambda', config: {} },
    ],
    ['CVE-2025-1550: a function of os', 'keras/dangerous-module', fn('os', 'system')],
    [
      'CVE-2025-1550: a class of subprocess',
      'keras/dangerous-module',
      keras('Popen', { args: ['id'] }, 'subprocess'),
    ],
    [
      'CVE-2025-1550: a module that Keras imported',
      'keras/dangerous-module',
      keras('system', {}, 'keras.src.utils.os'),
    ],
    ['CVE-2025-1550: a function of builtins', 'keras/dangerous-module', fn('builtins', 'eval')],
    ['CVE-2025-8747: get_file', 'keras/gadget', fn('keras.utils', 'get_file')],
    [
      'CVE-2025-8747: get_file in a module of Keras itself',
      'keras/gadget',
      keras('get_file', {}, 'keras.src.utils.file_utils'),
    ],
    [
      'CVE-2025-9906: safe_mode switched off',
      'keras/gadget',
      fn('keras.config', 'enable_unsafe_deserialization'),
    ],
    [
      'CVE-2025-9906: safe_mode switched off by its inner name',
      'keras/gadget',
      fn('keras.src.saving.serialization_lib', 'enable_unsafe_deserialization'),
    ],
    [
      'CVE-2025-1550: a function of TensorFlow that writes files',
      'keras/custom-object',
      keras('write_file', {}, 'tensorflow.io'),
    ],
    [
      'CVE-2025-1550: a type that is none',
      'keras/dangerous-module',
      { class_name: '__typespec__', module: 'os', spec_name: 'system' },
    ],
    [
      'CVE-2025-8747: a function of a part of Keras that does not compute',
      'keras/gadget',
      fn('keras.src.trainers.epoch_iterator', 'anything'),
    ],
    [
      'CVE-2025-8747: get_file as Keras 2 names it',
      'keras/gadget',
      { class_name: 'get_file', config: { origin: 'http://x' } },
    ],
    ['another model is loaded', 'keras/gadget', fn('keras.models', 'load_model')],
    [
      'CVE-2025-49655: TorchModuleWrapper',
      'keras/pickled-module',
      keras('TorchModuleWrapper', { module: 'gASVAA==' }),
    ],
    [
      'CVE-2025-12058: a vocabulary from a file',
      'keras/vocabulary-file',
      keras('StringLookup', { vocabulary: '/etc/passwd' }),
    ],
    [
      'CVE-2025-12058: a vocabulary from a server',
      'keras/vocabulary-file',
      keras('IntegerLookup', { vocabulary: 'http://169.254.169.254/' }),
    ],
    [
      'a TensorFlow function that reads files',
      'keras/gadget',
      { class_name: 'TFOpLambda', config: { function: 'io.read_file' } },
    ],
    [
      'a TensorFlow function that runs Python',
      'keras/gadget',
      { class_name: 'TFOpLambda', config: { function: 'raw_ops.EagerPyFunc' } },
    ],
    ['a SavedModel elsewhere', 'keras/loads-another-model', keras('TFSMLayer', { filepath: '/tmp/x' })],
    ['a custom class', 'keras/custom-object', keras('Mine', {}, 'my.package')],
    [
      'a registered custom class',
      'keras/custom-object',
      { class_name: 'Mine', config: {}, registered_name: 'package>Mine' },
    ],
  ])('%s', async (_, rule, layer) => {
    const result = await scan(model(layer));
    expect(ruleIds(result)).toContain(rule);
    expect(result.verdict).toBe(/loads-another|custom/.test(rule) ? 'suspicious' : 'malicious');
  });
});
