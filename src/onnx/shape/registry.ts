import { CONSTANT } from './constant.ts';
import { CONV } from './conv.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { GATHER_SCATTER } from './gather-scatter.ts';
import { LOGIC } from './logic.ts';
import { MATMUL } from './matmul.ts';
import { NORM } from './norm.ts';
import { POOL } from './pool.ts';
import { REDUCE } from './reduce.ts';
import { RESHAPE } from './reshape.ts';
import { RNN } from './rnn.ts';
import type { ShapeRule } from './rule.ts';
import { SLICE } from './slice.ts';

type Family = Readonly<Record<string, ShapeRule>>;

const FAMILIES: readonly (readonly [domain: string, family: Family])[] = [
  ['', CONSTANT],
  ['', CONV],
  ['', ELEMENTWISE],
  ['', GATHER_SCATTER],
  ['', LOGIC],
  ['', MATMUL],
  ['', NORM],
  ['', POOL],
  ['', REDUCE],
  ['', RESHAPE],
  ['', RNN],
  ['', SLICE],
];

function merged(): ReadonlyMap<string, ShapeRule> {
  const rules = new Map<string, ShapeRule>();
  for (const [domain, family] of FAMILIES) {
    for (const [op, rule] of Object.entries(family)) {
      const key = `${domain}:${op}`;
      if (rules.has(key)) throw new Error(`two shape rules for ${key}`);
      rules.set(key, rule);
    }
  }
  return rules;
}

/** Shape rules by `domain:op`. */
export const SHAPE_RULES: ReadonlyMap<string, ShapeRule> = merged();
