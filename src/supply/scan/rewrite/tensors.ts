import { readView, type Storage, type View } from '../pickle/storage.ts';
import { isGlobal, itemsOf, kindOf, type List, type Made, mappingOf, type Value } from '../pickle/value.ts';

/** A tensor that a pickle describes, by the name that a state dictionary would give it. */
export interface FoundTensor {
  readonly name: string;
  readonly view: View;
}

/** What was found in a value: tensors, and tensors that cannot be taken over, with the reason. */
export interface Found {
  readonly tensors: readonly FoundTensor[];
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

/** Levels of dictionaries, lists and modules. */
const MAX_DEPTH = 64;

/**
 * Finds the tensors in what a checkpoint's pickle gives: in dictionaries, lists, tuples and modules, by keys joined with dots.
 * A module is entered as its `state_dict` would be. Whatever else lies there (epochs, optimisers' numbers, objects of unknown
 * classes) is left behind.
 */
export function findTensors(root: Value | undefined): Found {
  const tensors: FoundTensor[] = [];
  const left: { name: string; reason: string }[] = [];
  const names = new Set<string>();
  const enter = (value: Value | undefined, name: string, depth: number): void => {
    if (depth > MAX_DEPTH) {
      left.push({ name, reason: 'nested too deep' });
      return;
    }
    const found = tensorOf(value);
    if (typeof found === 'string') left.push({ name, reason: found });
    else if (found !== undefined) {
      if (names.has(name)) left.push({ name, reason: 'a second tensor of that name' });
      else tensors.push({ name, view: found });
      names.add(name);
    } else
      for (const [key, inner] of childrenOf(value))
        enter(inner, name === '' ? key : `${name}.${key}`, depth + 1);
  };
  enter(root, '', 0);
  return { tensors, left };
}

/** The view that a value is, a text that says why it is none that can be taken over, `undefined` for other values. */
function tensorOf(value: Value | undefined): View | string | undefined {
  if (kindOf(value) !== 'made') return undefined;
  const { by, args } = value as Made;
  const items = itemsOf(args) ?? [];
  if (!isGlobal(by)) return undefined;
  switch (`${by.module}.${by.name}`) {
    case 'torch._utils._rebuild_parameter':
    case 'torch._utils._rebuild_parameter_with_state':
      return tensorOf(items[0]) ?? 'a parameter without its tensor';
    case 'torch._utils._rebuild_tensor':
      return readView(items, 1) ?? 'its storage is a checkpoint of its own';
    case 'torch._utils._rebuild_tensor_v2':
      return readView(items, 2) ?? 'its storage is a checkpoint of its own';
    case 'torch._utils._rebuild_tensor_v3':
      return readView(items, 3) ?? 'its storage is a checkpoint of its own';
    default:
      return /^_rebuild_/.test(by.name) && by.module.startsWith('torch.') ? `made by ${by.name}` : undefined;
  }
}

function* childrenOf(value: Value | undefined): Generator<readonly [string, Value]> {
  const items = kindOf(value) === 'list' ? (value as List).items : itemsOf(value);
  if (items !== undefined) {
    for (const [i, item] of items.entries()) yield [String(i), item];
    return;
  }
  if (kindOf(value) === 'made') {
    const { args, state } = value as Made;
    // Python 2 and protocols below 2 hand an OrderedDict its pairs as a list.
    const pairs = itemsOf(args)?.[0];
    if ((value as Made).fill === 'mapping' && kindOf(pairs) === 'list')
      for (const pair of (pairs as List).items) {
        const [key, inner] = itemsOf(pair) ?? (kindOf(pair) === 'list' ? (pair as List).items : []);
        if (typeof key === 'string' && inner !== undefined) yield [key, inner];
      }
    const attributes = mappingOf(state)?.entries;
    for (const group of ['_parameters', '_buffers', '_modules'])
      for (const [key, inner] of mappingOf(attributes?.get(group))?.entries ?? []) yield [String(key), inner];
  }
  for (const [key, inner] of mappingOf(value)?.entries ?? []) yield [String(key), inner];
}

/** Names of types in safetensors, by PyTorch's. */
const TYPES: Readonly<Record<string, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
};

/** What safetensors calls a type; `undefined` for types that it does not have. */
export function safetensorsType(type: string): string | undefined {
  return Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
}

/** Where the bytes of storages are. */
export type StorageBytes = (storage: Storage, offset: number, length: number) => Promise<Uint8Array>;
