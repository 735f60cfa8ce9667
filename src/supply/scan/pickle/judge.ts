import { GlacisError } from '../../../core/error.ts';
import type { Rule } from '../finding.ts';
import { allowedUse } from './allow/allowed.ts';
import { type Arguments, checkCall } from './arguments.ts';
import { Contents } from './contents.ts';
import { currentModule, isDangerous } from './danger.ts';
import { PickleError } from './pickle-error.ts';
import { PICKLE_RULES } from './rules.ts';
import { readStorage, type Storage } from './storage.ts';
import {
  type Bytes,
  type Dict,
  type GlobalName,
  itemsOf,
  kindOf,
  type List,
  type Made,
  made,
  show,
  type Value,
} from './value.ts';
import { type CallBy, type FillBy, isDunder, type World } from './world.ts';

/** Where a pickle lies, as far as it decides what is normal in it. */
export interface Setting {
  /** Persistent ids may name tensor storages: a PyTorch checkpoint. */
  readonly torch: boolean;
  /** Classes of `__torch__` are defined by the archive itself and known to no Python: TorchScript. */
  readonly script: boolean;
}

/** What was noticed at a byte of the stream. */
export interface Notice {
  readonly rule: Rule;
  readonly what: string;
  readonly at: number;
}

interface BadName {
  readonly rule: Rule;
  readonly at: number;
  call: string | undefined;
}

/** Notices, and names, that are kept of one pickle whatever they are about. */
const KEPT = 500;
/** Storages of one checkpoint. */
const MAX_STORAGES = 500_000;

/** Functions of TorchScript's own unpickler, which is no Python. */
const SCRIPT_FUNCTIONS: ReadonlySet<string> = new Set(
  'build_boollist build_doublelist build_intlist build_tensorlist build_tensor_from_id restore_type_tag'.split(
    ' ',
  ),
);

/**
 * Judges what a pickle does: every name, call and change is allowed by an exact list or noticed. Default deny: no branch that
 * is not about something allowed ends without a notice.
 */
export class Judge implements World {
  readonly notices: Notice[] = [];
  /** Bytes and texts in the stream that may be a file of their own. */
  readonly contents = new Contents();
  /** Tensor storages by key. */
  readonly storages = new Map<string, Storage>();
  /** What BUILD filled last. */
  built: Made | undefined;
  /** Calls and changes that were made, of allowed names too: what text and other data do not do by chance. */
  acts = 0;
  /** Names that were imported, which runs the code of their modules. */
  imports = 0;
  readonly setting: Setting;
  readonly #names = new Map<string, BadName>();
  readonly #rules = new Set<Rule>();

  constructor(setting: Setting) {
    this.setting = setting;
  }

  /** Everything that was noticed, each bad name once. */
  verdicts(): readonly Notice[] {
    const names = [...this.#names].map(([name, { rule, at, call }]) => ({
      rule,
      at,
      what: call === undefined ? name : `${name}, called with ${call}`,
    }));
    return [...names, ...this.notices].sort((a, b) => a.at - b.at);
  }

  notice(rule: Rule, what: string, at: number): void {
    if (!this.#isEnough(rule, this.notices.length)) this.notices.push({ rule, what, at });
  }

  /** One pickle may hold millions of them; past some hundred, the first of each kind says enough. */
  #isEnough(rule: Rule, kept: number): boolean {
    if (kept >= KEPT && this.#rules.has(rule)) return true;
    this.#rules.add(rule);
    return false;
  }

  global(module: string, name: string, protocol: number, at: number): GlobalName {
    this.imports++;
    const current = currentModule(module, protocol);
    const guarded = GUARDED.has(`${current}.${name}`);
    if (allowedUse(current, name) === undefined && !this.#isScript(module, name))
      this.#bad(current, name, at);
    return { kind: 'global', module: current, name, guarded };
  }

  #isScript(module: string, name: string): boolean {
    if (!this.setting.script) return false;
    return (
      (/^__torch__(\.\w+)*$/.test(module) && /^\w+$/.test(name)) ||
      (module === 'torch.jit._pickle' && SCRIPT_FUNCTIONS.has(name))
    );
  }

  #bad(module: string, name: string, at: number): void {
    const key = `${module}.${name}`;
    if (this.#names.has(key)) return;
    const rule = isDangerous(module, name)
      ? PICKLE_RULES.dangerousName
      : name.split('.').some(isDunder)
        ? PICKLE_RULES.dunderName
        : name.includes('.')
          ? PICKLE_RULES.dottedName
          : PICKLE_RULES.unknownName;
    if (this.#isEnough(rule, this.#names.size)) return;
    this.#names.set(key, { rule, at, call: undefined });
  }

  call(callee: Value, args: Value, kwargs: Value | undefined, by: CallBy, at: number): Value {
    if (kindOf(callee) !== 'global') {
      if (kindOf(callee) !== 'made' && kindOf(callee) !== 'persistent')
        throw new PickleError(`${by} calls ${show(callee)}, which nobody can`);
      this.acts++;
      this.notice(PICKLE_RULES.computedCall, `${show(callee)} is called with ${show(args)}`, at);
      return made(callee, args, 'unknown');
    }
    this.acts++;
    const { module, name } = callee as GlobalName;
    const bad = this.#names.get(`${module}.${name}`);
    if (bad) bad.call ??= show(args);
    const use = allowedUse(module, name) ?? (this.#isScript(module, name) ? 'instance' : undefined);
    if (use === undefined) return made(callee, args, 'unknown');
    if (use === 'value') {
      this.notice(PICKLE_RULES.unsafeArgument, `${module}.${name}, a constant, is called`, at);
      return made(callee, args, 'unknown');
    }
    const given: Arguments = { items: itemsOf(args) ?? [], kwargs, by, at };
    const result = checkCall(this, callee as GlobalName, given);
    return result ?? made(callee, args, use);
  }

  fill(target: Value, by: FillBy, content: Value | undefined, at: number): void {
    const fill = kindOf(target) === 'made' ? (target as Made).fill : undefined;
    this.built = undefined;
    if (!takes(target, by)) {
      if (by === 'BUILD' && !isSurelyState(content)) return;
      throw new PickleError(`${by} on ${show(target)}, which takes nothing`);
    }
    this.acts++;
    if (by === 'BUILD') {
      if (fill === undefined) this.notice(PICKLE_RULES.buildOnOther, `BUILD on ${show(target)}`, at);
      else this.#build(target as Made, content, at);
      return;
    }
    // What an unknown name made is suspicious already; what it may be filled with is not known.
    if (fill === 'unknown') return;
    if (by === 'SETITEMS')
      this.notice(
        PICKLE_RULES.itemsOnOther,
        `SETITEM(S) on ${show(target)} with the key ${show(content)}`,
        at,
      );
    else if (fill !== 'sequence') this.notice(PICKLE_RULES.appendOnOther, `${by} on ${show(target)}`, at);
  }

  #build(target: Made, state: Value | undefined, at: number): void {
    target.state = state;
    this.built = target;
    // Slots come as the second of two.
    for (const part of [state, ...(itemsOf(state) ?? [])]) {
      const dunder = kindOf(part) === 'dict' ? (part as Dict).dunder : undefined;
      if (dunder !== undefined)
        this.notice(PICKLE_RULES.dunderState, `${show(target)} gets an attribute ${dunder}`, at);
    }
  }

  persistent(id: Value, at: number): Value {
    const storage = this.setting.torch ? readStorage(id) : undefined;
    if (storage === undefined) this.notice(PICKLE_RULES.persistentId, `persistent id ${show(id)}`, at);
    else if (storage !== 'source') {
      const before = this.storages.get(storage.key);
      if (before && before.bytes !== storage.bytes)
        this.notice(PICKLE_RULES.storage, `storage ${show(storage.key)} has two sizes`, at);
      if (this.storages.size >= MAX_STORAGES)
        throw new GlacisError('scan/limit', `expected at most ${MAX_STORAGES} storages, got more`);
      this.storages.set(storage.key, storage);
    }
    return { kind: 'persistent', id };
  }

  extension(code: number, at: number): Value {
    this.notice(PICKLE_RULES.extension, `extension code ${code}`, at);
    const name: GlobalName = { kind: 'global', module: 'extension', name: String(code), guarded: false };
    return name;
  }

  bytes(value: Bytes): void {
    this.contents.add(value);
  }

  odd(what: string, at: number): void {
    this.notice(PICKLE_RULES.odd, what, at);
  }

  straddles(what: string, at: number): void {
    this.notice(PICKLE_RULES.frameBoundary, what, at);
  }

  unfolds(weight: number, at: number): void {
    this.notice(PICKLE_RULES.exhausting, `a tuple that unfolds to ${weight.toPrecision(3)} values`, at);
  }

  escapes({ module, name }: GlobalName, at: number): void {
    this.notice(PICKLE_RULES.unsafeArgument, `${module}.${name} is handed on instead of called`, at);
  }
}

/**
 * Whether BUILD surely does something with a state: CPython leaves what is empty, and both parts of a pair where they are. What
 * cannot be told may be empty.
 */
function isSurelyState(state: Value | undefined): boolean {
  const pair = itemsOf(state);
  if (pair?.length === 2) return pair.some(isSurelyState);
  switch (kindOf(state)) {
    case undefined:
      return Boolean(state);
    case 'tuple':
      return pair!.length > 0;
    case 'list':
      return (state as List).items.length + (state as List).dropped > 0;
    case 'dict':
      return (state as Dict).entries.size + (state as Dict).dropped > 0;
    case 'bytes':
      return (state as Bytes).length > 0;
    default:
      return kindOf(state) === 'global' || kindOf(state) === 'long text';
  }
}

/** Whether CPython finds something to fill: it ends at plain values, and at containers without the method. */
function takes(target: Value, by: FillBy): boolean {
  switch (kindOf(target)) {
    case undefined:
    case 'float':
    case 'huge int':
    case 'long text':
    case 'tuple':
      return false;
    case 'list':
      return by === 'SETITEMS';
    case 'dict':
    case 'set':
      return false;
    default:
      return true;
  }
}

/** Functions that turn what the pickle gives them into something that is loaded or decoded. */
const GUARDED: ReadonlySet<string> = new Set(['torch.storage._load_from_bytes', '_codecs.encode']);
