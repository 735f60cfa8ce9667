import { tooMany } from './stack.ts';
import {
  type Dict,
  type GlobalName,
  type Key,
  kindOf,
  type List,
  newDict,
  type Tuple,
  type Value,
} from './value.ts';
import { isDunder, type World } from './world.ts';

/** How much {@link Containers} may hold. */
export interface ContainerLimits {
  /** Objects that are made, and items of tuples: what a chain of them may hold on to. */
  readonly objects: number;
  /** Items of lists and dictionaries that are kept; more are counted and dropped, except in small dictionaries. */
  readonly kept: number;
  /** Entries of small dictionaries that are kept on top of that. */
  readonly small: number;
}

/** A dictionary of at most this many entries describes something and is kept whole. */
const SMALL = 16;

/** A value that weighs more than this many times what it took to write it is a bomb; see {@link Tuple.weight}. */
const BOMB = 50_000_000;

/**
 * The tuples, lists and dictionaries of one pickle: made and filled within limits. The {@link World} hears of guarded names that are put into
 * one, and of the first tuple that unfolds without end. Errors of all that makes or fills: `scan/limit`.
 */
export class Containers {
  readonly #world: World;
  readonly #limits: ContainerLimits;
  #objects = 0;
  #kept = 0;
  #small = 0;
  #bomb = false;

  constructor(world: World, limits: ContainerLimits) {
    this.#world = world;
    this.#limits = limits;
  }

  /** So many objects more are made. */
  count(made: number): void {
    this.#objects += made;
    if (this.#objects > this.#limits.objects) throw tooMany(this.#limits.objects, 'objects');
  }

  list(): List {
    this.count(1);
    return { kind: 'list', items: [], dropped: 0 };
  }

  dict(): Dict {
    this.count(1);
    return newDict();
  }

  tuple(items: readonly Value[], at: number): Tuple {
    this.count(1 + items.length);
    let weight = 1;
    for (const item of items) {
      weight += kindOf(item) === 'tuple' ? (item as Tuple).weight : 1;
      this.#hand(item, at);
    }
    if (weight > BOMB && !this.#bomb) {
      this.#bomb = true;
      this.#world.unfolds(weight, at);
    }
    return { kind: 'tuple', items, weight };
  }

  /** Items are put where something else may call them. */
  hand(items: readonly Value[], at: number): void {
    for (const item of items) this.#hand(item, at);
  }

  #hand(item: Value, at: number): void {
    if (kindOf(item) === 'global' && (item as GlobalName).guarded)
      this.#world.escapes(item as GlobalName, at);
  }

  /** Puts items behind those of a list; who puts them there has said so ({@link hand}). */
  extend(list: List, items: readonly Value[]): void {
    for (const item of items) {
      if (this.#kept >= this.#limits.kept) list.dropped++;
      else {
        this.#kept++;
        list.items.push(item);
      }
    }
  }

  /** Puts keys and values, which come in turn, into a dictionary. */
  put(dict: Dict, items: readonly Value[], at: number): void {
    let keys = true;
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      this.#hand(items[i + 1]!, at);
      if (typeof key === 'string' && dict.dunder === undefined && isDunder(key)) dict.dunder = key;
      keys &&= isKey(key);
    }
    const count = items.length / 2;
    if (keys && this.#kept + count <= this.#limits.kept) {
      this.#kept += count;
      dict.putAll(items);
      return;
    }
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (!isKey(key) || !this.#keeps(dict, key)) dict.dropped++;
      else dict.put(key, items[i + 1]!);
    }
  }

  /** Whether one more entry is kept; a key that comes again counts again. */
  #keeps(dict: Dict, key: Key): boolean {
    if (this.#kept < this.#limits.kept) {
      this.#kept++;
      return true;
    }
    const { entries } = dict;
    if (entries.has(key)) return true;
    if (entries.size >= SMALL) return false;
    if (++this.#small > this.#limits.small)
      throw tooMany(this.#limits.small, 'entries of small dictionaries');
    return true;
  }
}

function isKey(value: Value): value is Key {
  return value === null || typeof value !== 'object';
}
