import type { LoadOptions } from '../assess/load.ts';
import type { SurrogateOptions } from '../assess/open-surrogate.ts';
import { TOWARDS, type Towards, towardsFrom } from '../assess/towards.ts';
import { GlacisError } from '../core/error.ts';
import { DEVICES, type Device, deviceFrom } from '../runtime/device.ts';
import { TASKS } from '../threat/goal.ts';
import type { Given, OptionTable } from './args.ts';

/** Options of every command that attacks a model on data. */
export const LOAD_OPTIONS: OptionTable = {
  data: {
    value: 'DATA',
    help: 'samples and labels: .npz (x, y), "images,labels" (.npy or IDX), a folder of images by class, CSV or Parquet',
  },
  labels: { value: 'FILE', help: 'labels from a file of their own, one or several a sample' },
  n: { value: 'N', help: 'take the first N samples (all unless given)' },
  shuffle: { value: 'SEED', help: 'take samples in a random order that depends on SEED' },
  task: { value: 'TASK', help: `what the outputs mean: ${TASKS.join(', ')} (found out unless given)` },
  tolerance: { value: 'T', help: 'regression: how far an answer may be off and still be right' },
  range: { value: 'LOW,HIGH', help: 'range of an input (0,1 for images unless given)' },
  mean: { value: 'M,…', help: 'normalisation in front of the model; eps and range are in units before it' },
  std: { value: 'S,…', help: 'see --mean' },
  layout: { value: 'LAYOUT', help: 'how images are stored: nchw, nhwc or auto' },
  'image-size': { value: 'H,W', help: 'resize the images of a folder' },
  target: { value: 'COLUMN', help: 'target column of a table (the last unless given)' },
  input: { value: 'NAME', help: 'attacked input, where the model has several' },
  fix: {
    value: 'NAME=FILE',
    help: 'value (.npy) of an input that is not attacked; may be repeated',
    many: true,
  },
  output: { value: 'NAME', help: 'attacked output, where the model has several' },
  shape: { value: 'C,H,W', help: 'shape of one sample, where the model leaves it open' },
  constraint: {
    value: 'FILE',
    help: 'what examples must satisfy: mask, table, series (docs/constraints.md)',
  },
  'eight-bit': { help: 'examples must survive being saved in 8 bits, as PNG does' },
  header: { value: 'NAME=VALUE', help: 'endpoint: header of each request; may be repeated', many: true },
  format: { value: 'FORMAT', help: 'endpoint: binary, json or auto (auto unless given)' },
  parallel: { value: 'N', help: 'endpoint: requests under way at once (4 unless given)' },
  timeout: { value: 'SECONDS', help: 'endpoint: longest wait for one answer (30 unless given)' },
  'labels-only': { value: 'K', help: 'endpoint: it answers with class numbers only, of K classes' },
  batch: { value: 'N', help: 'samples in one run (chosen by the cost of the model; changes no result)' },
};

/** Options of commands whose attacks may make their examples on another model. */
export const SURROGATE_OPTIONS: OptionTable = {
  surrogate: {
    value: 'FILE',
    help: 'another model (ONNX) of the same samples and outputs: the attack transfer makes its examples there',
  },
  'surrogate-mean': { value: 'M,…', help: 'normalisation in front of the surrogate, which has its own' },
  'surrogate-std': { value: 'S,…', help: 'see --surrogate-mean' },
};

/** Help of `--eps`; the usual radii are those of `defaultEps`. */
export const EPS_HELP =
  "how large a change may be, in the input's units (unless given, for inputs from 0 to 1: 8/255 in linf, 0.5 in l2, 12 in l1, 10 values in l0)";

/** Where attacks lead, of commands that attack one model. */
export const TOWARDS_OPTION: OptionTable[string] = {
  value: 'CLASS',
  help: `lead samples to a class instead of away from their label: its number, ${TOWARDS.join(', ')}`,
};

/** Options of every command that runs graphs. */
export const ENGINE_OPTIONS: OptionTable = {
  device: { value: 'DEVICE', help: `where to run: ${DEVICES.join(', ')} (cpu unless given)` },
  threads: { value: 'N', help: 'threads (all cores unless given)' },
};

/** The model and the options of {@link LOAD_OPTIONS}. Errors: `option/invalid`. */
export function loadOptionsFrom(given: Given, command: string): LoadOptions {
  const options = modelOptionsFrom(given, command);
  const data = given.text('data');
  if (data === undefined)
    throw new GlacisError('option/invalid', `${command}: expected --data DATA, got nothing; see --help`);
  return { ...options, data };
}

/** The same for commands that can do without data. Errors: `option/invalid`. */
export function modelOptionsFrom(given: Given, command: string): Omit<LoadOptions, 'data'> {
  const [model, ...rest] = given.positionals;
  if (model === undefined)
    throw new GlacisError(
      'option/invalid',
      `${command}: expected MODEL (an ONNX file, the address of an endpoint, or an adapter), got nothing; see --help`,
    );
  if (rest.length > 0)
    throw new GlacisError('option/invalid', `${command}: expected one MODEL, got '${rest[0]}' as well`);
  return {
    model,
    labels: given.text('labels'),
    n: given.whole('n', 1),
    shuffle: given.whole('shuffle', 0),
    task: given.choice('task', TASKS),
    tolerance: positive(given, 'tolerance'),
    range: pair(given, 'range'),
    mean: given.numbers('mean'),
    std: positives(given, 'std'),
    layout: given.choice('layout', ['nchw', 'nhwc', 'auto']),
    imageSize: pair(given, 'image-size'),
    target: given.text('target'),
    input: given.text('input'),
    fix: Object.fromEntries(given.texts('fix').map(fixFrom)),
    output: given.text('output'),
    shape: sizes(given, 'shape'),
    batch: given.whole('batch', 1),
    constraint: given.text('constraint'),
    eightBit: given.flag('eight-bit'),
    endpoint: {
      headers: Object.fromEntries(given.texts('header').map(headerFrom)),
      format: given.choice('format', ['binary', 'json', 'auto']),
      parallel: given.whole('parallel', 1),
      timeoutMs: milliseconds(given),
      labelsOnly: given.whole('labels-only', 2),
    },
  };
}

/** The options of {@link SURROGATE_OPTIONS}. Errors: `option/invalid`. */
export function surrogateFrom(given: Given): { readonly surrogate?: SurrogateOptions } {
  const model = given.text('surrogate');
  const mean = given.numbers('surrogate-mean');
  const std = positives(given, 'surrogate-std');
  if (model !== undefined) return { surrogate: { model, mean, std } };
  if (mean || std)
    throw new GlacisError(
      'option/invalid',
      '--surrogate-mean, --surrogate-std: expected --surrogate FILE as well, got none',
    );
  return {};
}

/** {@link TOWARDS_OPTION}. Errors: `option/invalid`. */
export function towardsIn(given: Given): Towards | undefined {
  const text = given.text('towards');
  return text === undefined ? undefined : towardsFrom(text);
}

/** The options of {@link ENGINE_OPTIONS}. Errors: `option/invalid`, `device/unavailable`. */
export function engineOptionsFrom(given: Given): { readonly device?: Device; readonly threads?: number } {
  const device = given.text('device');
  const threads = given.whole('threads', 1);
  return {
    ...(device !== undefined && { device: deviceFrom(device) }),
    ...(threads !== undefined && { threads }),
  };
}

function positive(given: Given, name: string): number | undefined {
  return positives(given, name)?.[0];
}

function positives(given: Given, name: string): readonly number[] | undefined {
  const values = given.numbers(name);
  if (values?.some((v) => v <= 0))
    throw new GlacisError('option/invalid', `--${name}: expected numbers above 0, got '${given.text(name)}'`);
  return values;
}

function pair(given: Given, name: string): readonly [number, number] | undefined {
  const values = given.numbers(name);
  if (values && values.length !== 2)
    throw new GlacisError('option/invalid', `--${name}: expected two numbers, got '${given.text(name)}'`);
  return values && [values[0]!, values[1]!];
}

function sizes(given: Given, name: string): readonly number[] | undefined {
  const values = given.numbers(name);
  if (values?.some((v) => !Number.isInteger(v) || v < 1))
    throw new GlacisError(
      'option/invalid',
      `--${name}: expected sizes of at least 1, got '${given.text(name)}'`,
    );
  return values;
}

function milliseconds(given: Given): number | undefined {
  const seconds = positive(given, 'timeout');
  return seconds === undefined ? undefined : Math.ceil(1000 * seconds);
}

/** A header's name and value; the value may be a secret, so that an error does not repeat it. */
function headerFrom(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new GlacisError('option/invalid', '--header: expected NAME=VALUE, got no name and =');
  return [text.slice(0, at), text.slice(at + 1)];
}

function fixFrom(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new GlacisError('option/invalid', `--fix: expected NAME=FILE.npy, got '${text}'`);
  return [text.slice(0, at), text.slice(at + 1)];
}
