import { GlacisError } from '../core/error.ts';
import type { Attribute, Graph, Node } from './model.ts';
import type { Tensor } from './tensor.ts';

type Kind = Attribute['kind'];
type ValueOf<K extends Kind> = Extract<Attribute, { kind: K }>['value'];

/** Typed reading of a node's attributes. Each reader throws `model/invalid` on another kind, or when it is absent without a default. */
export interface Attributes {
  has(name: string): boolean;
  int(name: string, fallback?: number): number;
  float(name: string, fallback?: number): number;
  string(name: string, fallback?: string): string;
  ints(name: string, fallback?: readonly number[]): readonly number[];
  floats(name: string, fallback?: readonly number[]): readonly number[];
  strings(name: string, fallback?: readonly string[]): readonly string[];
  tensor(name: string): Tensor;
  graph(name: string): Graph;
}

/** Reads the attributes of `node`. */
export function attributesOf(node: Pick<Node, 'op' | 'name' | 'attributes'>): Attributes {
  const get = <K extends Kind>(name: string, kind: K, fallback?: ValueOf<K>): ValueOf<K> => {
    const attribute = node.attributes.get(name);
    if (attribute === undefined) {
      if (fallback !== undefined) return fallback as ValueOf<K>;
      throw new GlacisError(
        'model/invalid',
        `${node.op} ${node.name}: expected an attribute '${name}', found none`,
      );
    }
    if (attribute.kind !== kind) {
      throw new GlacisError(
        'model/invalid',
        `${node.op} ${node.name}: expected '${name}' to be of kind ${kind}, got ${attribute.kind}`,
      );
    }
    return attribute.value as ValueOf<K>;
  };
  return {
    has: (name) => node.attributes.has(name),
    int: (name, fallback) => get(name, 'int', fallback),
    float: (name, fallback) => get(name, 'float', fallback),
    string: (name, fallback) => get(name, 'string', fallback),
    ints: (name, fallback) => get(name, 'ints', fallback),
    floats: (name, fallback) => get(name, 'floats', fallback),
    strings: (name, fallback) => get(name, 'strings', fallback),
    tensor: (name) => get(name, 'tensor'),
    graph: (name) => get(name, 'graph'),
  };
}

/** A plain value for an attribute. A number means `int` when it is an integer: write `float(1)` where ONNX wants a float. */
export type AttributeInput = number | string | readonly number[] | readonly string[] | Attribute | undefined;

/** An attribute of kind `float`. */
export const float = (value: number): Attribute => ({ kind: 'float', value });

/** An attribute of kind `floats`. */
export const floats = (value: readonly number[]): Attribute => ({ kind: 'floats', value });

/** An attribute of kind `tensor`. */
export const tensorAttribute = (value: Tensor): Attribute => ({ kind: 'tensor', value });

/** Turns plain values into attributes; `undefined` ones are left out. */
export function attributesFrom(input: Readonly<Record<string, AttributeInput>>): Map<string, Attribute> {
  const map = new Map<string, Attribute>();
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (typeof value === 'number')
      map.set(name, Number.isInteger(value) ? { kind: 'int', value } : { kind: 'float', value });
    else if (typeof value === 'string') map.set(name, { kind: 'string', value });
    else if (Array.isArray(value)) {
      if (value.every((v) => typeof v === 'number')) map.set(name, { kind: 'ints', value });
      else map.set(name, { kind: 'strings', value: value as readonly string[] });
    } else map.set(name, value as Attribute);
  }
  return map;
}
