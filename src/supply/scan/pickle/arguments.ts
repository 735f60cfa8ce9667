import type { Judge } from './judge.ts';
import { PICKLE_RULES } from './rules.ts';
import { readView } from './storage.ts';
import {
  type Bytes,
  type GlobalName,
  isGlobal,
  kindOf,
  type LongText,
  made,
  show,
  type Value,
} from './value.ts';
import type { CallBy } from './world.ts';

/** What an allowed name is called with. */
export interface Arguments {
  readonly items: readonly Value[];
  readonly kwargs: Value | undefined;
  readonly by: CallBy;
  readonly at: number;
}

/** Looks at the arguments of one allowed name, and says what the call gives where that is more than a new object. */
type Check = (judge: Judge, given: Arguments, name: GlobalName) => Value | undefined;

/** What makes the missing entries of a `defaultdict`. */
const FACTORIES: ReadonlySet<string> = new Set([
  ...'bool bytes dict float int list set str tuple'.split(' ').map((name) => `builtins.${name}`),
  'collections.Counter',
  'collections.OrderedDict',
]);

/** Names that are harmless with the arguments that picklers write, and not with others. */
const CHECKS: Readonly<Record<string, Check>> = {
  '_codecs.encode': encode,
  'copyreg._reconstructor': (judge, given) => {
    const [type, base] = given.items;
    if (!isGlobal(type) || !isGlobal(base))
      return refuse(judge, given, 'copyreg._reconstructor', 'on no class');
    // `base.__new__(type, state)`: what `type` may be is what counts, and both were looked up.
    return judge.call(type, { kind: 'tuple', items: [], weight: 1 }, undefined, 'NEWOBJ', given.at);
  },
  'copyreg.__newobj__': newObject,
  'copyreg.__newobj_ex__': newObject,
  'sklearn.neighbors._ball_tree.newObj': newObject,
  'sklearn.neighbors._kd_tree.newObj': newObject,
  'sklearn.metrics._dist_metrics.newObj': newObject,
  'dill._dill._create_array': (judge, given) => {
    const [func, args, state] = given.items;
    if (func === undefined || args === undefined)
      return refuse(judge, given, 'dill._dill._create_array', 'with too few');
    const result = judge.call(func, args, undefined, 'REDUCE', given.at);
    judge.fill(result, 'BUILD', state, given.at);
    return result;
  },
  'torch._tensor._rebuild_from_type_v2': (judge, given) => {
    const [func, , args, state] = given.items;
    if (func === undefined || args === undefined)
      return refuse(judge, given, '_rebuild_from_type_v2', 'with too few');
    const result = judge.call(func, args, undefined, 'REDUCE', given.at);
    if (kindOf(result) === 'made') judge.fill(result, 'BUILD', state, given.at);
    return result;
  },
  'torch._utils._rebuild_qtensor': tensor(1),
  'torch._utils._rebuild_tensor': tensor(1),
  'torch._utils._rebuild_tensor_v2': tensor(2),
  'torch._utils._rebuild_tensor_v3': tensor(3),
  'torch.storage._load_from_bytes': (judge, given) => {
    const [content] = given.items;
    if (kindOf(content) !== 'bytes' || given.items.length !== 1)
      return refuse(
        judge,
        given,
        'torch.storage._load_from_bytes',
        'on something other than bytes of the stream',
      );
    judge.contents.load(content as Bytes);
    return undefined;
  },
  'numpy.random._pickle.__randomstate_ctor': generator,
  'numpy.random._pickle.__generator_ctor': generator,
  'collections.defaultdict': (judge, given) => {
    const [factory] = given.items;
    if (
      factory !== undefined &&
      factory !== null &&
      !(isGlobal(factory) && FACTORIES.has(`${factory.module}.${factory.name}`))
    )
      return refuse(judge, given, 'collections.defaultdict', `with the factory ${show(factory)}`);
    return undefined;
  },
  'builtins.bytearray': sized,
  'builtins.bytes': sized,
};

/** What calling an allowed name gives; `undefined` for a new object of that name. */
export function checkCall(judge: Judge, name: GlobalName, given: Arguments): Value | undefined {
  const key = `${name.module}.${name.name}`;
  return Object.hasOwn(CHECKS, key) ? CHECKS[key]!(judge, given, name) : undefined;
}

function refuse(judge: Judge, { items, at }: Arguments, name: string, why: string): Value {
  judge.notice(PICKLE_RULES.unsafeArgument, `${name} ${why}: ${show(items[0])}`, at);
  return made(null, null, 'unknown');
}

const ENCODINGS = /^(latin[-_]?1|iso[-_]?8859[-_]?1|utf[-_]?8|ascii)$/i;

/** Python 2 and protocols below 3 write bytes as a text and its encoding. Other codecs decompress or decode. */
function encode(judge: Judge, given: Arguments): Value | undefined {
  const [text, encoding = 'utf-8'] = given.items;
  if (typeof encoding !== 'string' || !ENCODINGS.test(encoding))
    return refuse(judge, given, '_codecs.encode', `with the encoding ${show(encoding)}`);
  if (typeof text === 'string') {
    const content = Buffer.from(text, /^u/i.test(encoding) ? 'utf8' : 'latin1');
    const head = content.toString('latin1', 0, 16);
    const bytes: Bytes = { kind: 'bytes', offset: -1, length: content.length, head };
    judge.contents.addEncoded(bytes, new Uint8Array(content));
    return bytes;
  }
  if (kindOf(text) === 'long text') {
    judge.contents.addText(text as LongText);
    return undefined;
  }
  return refuse(judge, given, '_codecs.encode', 'on something other than text');
}

/** `type.__new__(type, …)` under another name. */
function newObject(judge: Judge, given: Arguments): Value {
  const [type, ...args] = given.items;
  return judge.call(type ?? null, { kind: 'tuple', items: args, weight: 1 }, undefined, 'NEWOBJ', given.at);
}

function tensor(version: 1 | 2 | 3): Check {
  return (judge, given) => {
    const view = readView(given.items, version);
    if (typeof view === 'string') judge.notice(PICKLE_RULES.storage, `a tensor: ${view}`, given.at);
    return undefined;
  };
}

/** `RandomState` and `Generator` take the function that makes their bit generator, and call it. */
function generator(judge: Judge, given: Arguments): Value | undefined {
  const [, maker] = given.items;
  if (maker === undefined) return undefined;
  const known =
    isGlobal(maker) &&
    maker.module.startsWith('numpy.random.') &&
    /^(__bit_generator_ctor|MT19937|PCG64(DXSM)?|Philox|SFC64)$/.test(maker.name);
  return known
    ? undefined
    : refuse(judge, { ...given, items: [maker] }, 'numpy.random', 'with another maker');
}

/** `bytearray(n)` is n zero bytes. */
function sized(judge: Judge, given: Arguments, { name }: GlobalName): undefined {
  const [size] = given.items;
  if ((typeof size === 'number' && size > 2 ** 30) || typeof size === 'bigint' || kindOf(size) === 'huge int')
    judge.notice(PICKLE_RULES.exhausting, `${name} of ${show(size)} bytes`, given.at);
}
