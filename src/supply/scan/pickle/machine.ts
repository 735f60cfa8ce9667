import { type ContainerLimits, Containers } from './containers.ts';
import { Frames } from './frames.ts';
import { Memo } from './memo.ts';
import { OPCODES } from './opcodes.ts';
import { PickleError } from './pickle-error.ts';
import type { PickleReader } from './reader.ts';
import { Stack, tooMany } from './stack.ts';
import {
  BUFFER,
  type Bytes,
  type Dict,
  itemsOf,
  kindOf,
  type List,
  type LongText,
  mappingOf,
  SET,
  type Value,
} from './value.ts';
import type { World } from './world.ts';

/** What the machine may hold. */
export interface MachineLimits extends ContainerLimits {
  readonly stack: number;
  readonly memo: number;
}

export const MACHINE_LIMITS: MachineLimits = {
  stack: 1_000_000,
  memo: 1_000_000,
  objects: 5_000_000,
  kept: 300_000,
  small: 1_000_000,
};

/**
 * Runs a pickle's opcodes on a stack and a memo of {@link Value}s, as CPython's C unpickler does, without making a Python
 * object or calling anything. Stack underflow, a missing memo entry and operands of a wrong type end it where they would end
 * CPython. Source: Modules/_pickle.c and Lib/pickle.py of CPython 3.14.
 */
export class PickleMachine {
  #stack: Stack;
  #memo = new Memo();
  protocol = 0;
  /** Opcodes that were run. */
  count = 0;
  readonly #world: World;
  readonly #limits: MachineLimits;
  readonly #containers: Containers;
  readonly #frames: Frames;

  constructor(world: World, limits = MACHINE_LIMITS) {
    this.#world = world;
    this.#limits = limits;
    this.#containers = new Containers(world, limits);
    this.#frames = new Frames(world);
    this.#stack = new Stack(limits.stack);
  }

  /** A machine in the same state that answers to another world. */
  fork(world: World): PickleMachine {
    const twin = new PickleMachine(world, this.#limits);
    twin.#stack = this.#stack.copy();
    twin.#memo = this.#memo.copy();
    twin.protocol = this.protocol;
    return twin;
  }

  /**
   * Runs the opcode that `reader` stands on. True when it was STOP; the result is then {@link result}.
   * Errors: {@link PickleError} where CPython would stop, too; `scan/limit` past a limit of the machine.
   */
  step(reader: PickleReader): boolean {
    const { at, value } = reader;
    const { name, pushes } = OPCODES[reader.code]!;
    this.count++;
    this.#frames.pass(name, at, reader.position);
    // First what a large pickle mostly consists of: a switch over texts goes through them in order.
    if (pushes) {
      this.#stack.push(value);
      return false;
    }
    switch (name) {
      case 'MEMOIZE':
        this.#remember(this.#memo.size);
        break;
      case 'STOP':
        this.result = this.#stack.pop();
        return true;
      case 'PROTO':
        if ((value as number) > 5) throw new PickleError(`protocol ${value}`);
        if (this.count > 1) this.#world.odd('PROTO after the beginning', at);
        this.protocol = value as number;
        break;
      case 'FRAME':
        this.#frames.open(value as number, at, reader);
        break;
      case 'MARK':
        this.#stack.setMark();
        break;
      case 'POP':
        this.#stack.drop();
        break;
      case 'POP_MARK':
        this.#stack.dropToMark();
        break;
      case 'DUP':
        this.#stack.push(this.#stack.top());
        break;
      case 'NONE':
        this.#stack.push(null);
        break;
      case 'NEWTRUE':
        this.#stack.push(true);
        break;
      case 'NEWFALSE':
        this.#stack.push(false);
        break;
      case 'EMPTY_LIST':
        this.#stack.push(this.#containers.list());
        break;
      case 'EMPTY_TUPLE':
        this.#stack.push(this.#containers.tuple([], at));
        break;
      case 'EMPTY_DICT':
        this.#stack.push(this.#containers.dict());
        break;
      case 'EMPTY_SET':
        this.#stack.push(SET);
        break;
      case 'BINBYTES':
      case 'SHORT_BINBYTES':
      case 'BINBYTES8':
      case 'BYTEARRAY8':
        this.#world.bytes(value as Bytes);
        this.#stack.push(value);
        break;
      case 'TUPLE':
        this.#stack.push(this.#containers.tuple(this.#stack.popToMark(), at));
        break;
      case 'TUPLE1':
      case 'TUPLE2':
      case 'TUPLE3':
        this.#stack.push(this.#containers.tuple(this.#stack.popMany(Number(name.at(-1))), at));
        break;
      case 'LIST': {
        const list = this.#containers.list();
        const items = this.#stack.popToMark();
        this.#containers.hand(items, at);
        this.#containers.extend(list, items);
        this.#stack.push(list);
        break;
      }
      case 'DICT': {
        const dict = this.#containers.dict();
        this.#setItems(dict, this.#stack.popToMark(), at);
        this.#stack.push(dict);
        break;
      }
      case 'FROZENSET':
        this.#stack.popToMark();
        this.#stack.push(SET);
        break;
      case 'APPEND': {
        const [item] = this.#stack.popMany(1);
        this.#append([item!], at);
        break;
      }
      case 'APPENDS':
        this.#append(this.#stack.popToMark(), at);
        break;
      case 'SETITEM':
        this.#setItems(undefined, this.#stack.popMany(2), at);
        break;
      case 'SETITEMS':
        this.#setItems(undefined, this.#stack.popToMark(), at);
        break;
      case 'ADDITEMS': {
        const items = this.#stack.popToMark();
        const target = this.#stack.top();
        if (kindOf(target) !== 'set' && items.length > 0) this.#world.fill(target, 'ADDITEMS', undefined, at);
        break;
      }
      case 'GET':
      case 'BINGET':
      case 'LONG_BINGET': {
        const found = this.#memo.get(value as number);
        if (found === undefined) throw new PickleError(`the memo holds nothing at ${value}`);
        this.#stack.push(found);
        break;
      }
      case 'PUT':
      case 'BINPUT':
      case 'LONG_BINPUT':
        this.#remember(value as number);
        break;
      case 'GLOBAL':
        this.#stack.push(this.#world.global(value as string, reader.second, this.protocol, at));
        break;
      case 'STACK_GLOBAL': {
        const [module, global] = this.#stack.popMany(2).map(nameIn);
        if (module === undefined || global === undefined)
          throw new PickleError('STACK_GLOBAL on something other than two texts');
        this.#stack.push(this.#world.global(module, global, this.protocol, at));
        break;
      }
      case 'INST': {
        // The unpickler in Python, which joblib uses, imports before it looks for the mark.
        const callee = this.#world.global(value as string, reader.second, this.protocol, at);
        const args = this.#containers.tuple(this.#stack.popToMark(), at);
        this.#stack.push(this.#world.call(callee, args, undefined, 'INST', at));
        break;
      }
      case 'OBJ': {
        const [callee, ...args] = this.#stack.popToMark();
        if (callee === undefined) throw new PickleError('OBJ without a class');
        this.#stack.push(this.#world.call(callee, this.#containers.tuple(args, at), undefined, 'OBJ', at));
        break;
      }
      case 'REDUCE':
      case 'NEWOBJ': {
        this.#containers.count(1);
        const [callee, args] = this.#stack.popMany(2);
        if (itemsOf(args) === undefined) this.#world.odd(`${name} with arguments that are no tuple`, at);
        this.#stack.push(this.#world.call(callee!, args!, undefined, name, at));
        break;
      }
      case 'NEWOBJ_EX': {
        this.#containers.count(1);
        const [callee, args, kwargs] = this.#stack.popMany(3);
        this.#stack.push(this.#world.call(callee!, args!, kwargs, name, at));
        break;
      }
      case 'BUILD': {
        const [state] = this.#stack.popMany(1);
        this.#containers.hand([state!], at);
        this.#world.fill(this.#stack.top(), 'BUILD', state, at);
        break;
      }
      case 'PERSID':
        this.#stack.push(this.#world.persistent(value, at));
        break;
      case 'BINPERSID':
        this.#stack.push(this.#world.persistent(this.#stack.pop(), at));
        break;
      case 'EXT1':
      case 'EXT2':
      case 'EXT4':
        if ((value as number) <= 0) throw new PickleError(`extension code ${value}`);
        this.#stack.push(this.#world.extension(value as number, at));
        break;
      case 'NEXT_BUFFER':
        this.#world.odd('NEXT_BUFFER, a buffer that is not in the stream', at);
        this.#stack.push(BUFFER);
        break;
      case 'READONLY_BUFFER':
        this.#stack.top();
        break;
      default:
        throw new PickleError(`the opcode ${name}, which nobody runs`);
    }
    return false;
  }

  /** What STOP gave back. */
  result: Value | undefined;

  #remember(index: number): void {
    if (this.#memo.size >= this.#limits.memo) throw tooMany(this.#limits.memo, 'entries of the memo');
    this.#memo.set(index, this.#stack.top());
  }

  #append(items: readonly Value[], at: number): void {
    this.#containers.hand(items, at);
    const target = this.#stack.top();
    if (kindOf(target) === 'list') this.#containers.extend(target as List, items);
    else if (items.length > 0) this.#world.fill(target, 'APPENDS', items[0], at);
  }

  #setItems(given: Dict | undefined, items: readonly Value[], at: number): void {
    if (items.length % 2 !== 0) throw new PickleError('a key without a value');
    const target = given ?? this.#stack.top();
    const dict = mappingOf(target);
    if (dict) this.#containers.put(dict, items, at);
    else if (items.length > 0) this.#world.fill(target, 'SETITEMS', items[0], at);
  }
}

/** A text as a name; a long one is none that is known, and a name all the same. */
function nameIn(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return kindOf(value) === 'long text' ? `(${(value as LongText).length} characters)` : undefined;
}
