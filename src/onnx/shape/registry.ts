import { ATTENTION } from './attention.ts';
import { CONSTANT } from './constant.ts';
import { CONTRIB, CONTRIB_STANDARD } from './contrib.ts';
import { CONV } from './conv.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { GATHER_SCATTER } from './gather-scatter.ts';
import { LOGIC } from './logic.ts';
import { LOSS } from './loss.ts';
import { MATMUL } from './matmul.ts';
import { NORM } from './norm.ts';
import { POOL } from './pool.ts';
import { QUANT } from './quant.ts';
import { REDUCE } from './reduce.ts';
import { RESHAPE } from './reshape.ts';
import { RESIZE } from './resize.ts';
import { RNN } from './rnn.ts';
import type { ShapeRule } from './rule.ts';
import { SIGNAL } from './signal.ts';
import { SLICE } from './slice.ts';
import { TEXT } from './text.ts';

type Family = Readonly<Record<string, ShapeRule>>;

const FAMILIES: readonly (readonly [domain: string, family: Family])[] = [
  ['', ATTENTION],
  ['', CONSTANT],
  ['', CONTRIB_STANDARD],
  ['', CONV],
  ['', ELEMENTWISE],
  ['', GATHER_SCATTER],
  ['', LOGIC],
  ['', LOSS],
  ['', MATMUL],
  ['', NORM],
  ['', POOL],
  ['', QUANT],
  ['', REDUCE],
  ['', RESHAPE],
  ['', RESIZE],
  ['', RNN],
  ['', SIGNAL],
  ['', SLICE],
  ['', TEXT],
  ['com.microsoft', CONTRIB],
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
