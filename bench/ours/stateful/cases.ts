import { type Delivery, PLAIN } from './delivery.ts';
import type { PeerCase } from './peer-traces.ts';
import type { AttackCase } from './trace.ts';

/** One row of the table of attacks. */
export interface EvasionCase extends AttackCase {
  readonly delivery: Delivery;
  /** What the attacker does because of the guard. */
  readonly knows?: string;
}

const linf = { norm: 'linf', eps: 0.2 } as const;
const l2 = { norm: 'l2', eps: 2.5 } as const;

const PLAINLY: readonly AttackCase[] = [
  { name: 'HopSkipJump', spec: 'hop-skip-jump', ...l2 },
  { name: 'HopSkipJump', spec: 'hop-skip-jump', ...linf },
  { name: 'Square', spec: 'square', ...linf },
  { name: 'Square', spec: 'square', ...l2 },
  { name: 'SimBA', spec: 'simba', ...l2 },
  { name: 'NES', spec: 'nes(sigma=0.05)', ...linf },
  { name: 'SPSA', spec: 'spsa', ...linf },
  { name: 'Boundary', spec: 'boundary', ...l2 },
  { name: 'GeoDA', spec: 'geoda', ...l2 },
  { name: 'RayS', spec: 'rays', ...linf },
];

const SQUARE: AttackCase = { name: 'Square', spec: 'square', ...linf };
const HOP: AttackCase = { name: 'HopSkipJump', spec: 'hop-skip-jump', ...l2 };

/** The attacks as they are, and what an attacker who knows the guard may do with them. */
export const EVASION_CASES: readonly EvasionCase[] = [
  ...PLAINLY.map((each) => ({ ...each, delivery: PLAIN })),
  ...[SQUARE, HOP].flatMap((each): EvasionCase[] => [
    { ...each, blinding: 'noise 0.1', delivery: PLAIN, knows: 'noise of 0.1 on each query' },
    { ...each, blinding: 'noise 0.3', delivery: PLAIN, knows: 'noise of 0.3 on each query' },
    { ...each, blinding: 'moved', delivery: PLAIN, knows: 'each query turned and shifted at random' },
    { ...each, delivery: { name: '10 decoys', keys: 1, decoys: 10 }, knows: '10 calm queries for each' },
    { ...each, delivery: { name: '30 decoys', keys: 1, decoys: 30 }, knows: '30 calm queries for each' },
    { ...each, delivery: { name: '10 keys', keys: 10, decoys: 0 }, knows: 'split over 10 keys' },
    { ...each, delivery: { name: '100 keys', keys: 100, decoys: 0 }, knows: 'split over 100 keys' },
    {
      ...each,
      delivery: { name: '100 keys, 10 decoys', keys: 100, decoys: 10 },
      knows: '100 keys and 10 calm queries for each',
    },
  ]),
  {
    ...HOP,
    name: 'HopSkipJump, wide',
    spec: 'hop-skip-jump(gamma=1000)',
    delivery: PLAIN,
    knows: 'probes as far apart as calm queries (OARS)',
  },
  {
    ...linf,
    name: 'NES, wide',
    spec: 'nes(sigma=0.5, relativeStep=1)',
    delivery: PLAIN,
    knows: 'probes as far apart as calm queries (OARS)',
  },
  ...[SQUARE, HOP, { name: 'NES', spec: 'nes(sigma=0.05)', ...linf }].map((each) => ({
    ...each,
    delivery: { name: 'as a camera', keys: 1, decoys: 0, stream: true },
    knows: 'from a client that is declared as a camera',
  })),
];

/** Attacks of other libraries, as they are. */
export const PEER_CASES: readonly PeerCase[] = [
  { id: 'art-hop-skip-jump-l2', name: 'HopSkipJump of ART', ...l2 },
  { id: 'art-hop-skip-jump-linf', name: 'HopSkipJump of ART', ...linf },
  { id: 'art-boundary', name: 'Boundary of ART', ...l2 },
  { id: 'art-geoda', name: 'GeoDA of ART', ...l2 },
  { id: 'art-sign-opt', name: 'SignOPT of ART', ...l2 },
  { id: 'art-simba', name: 'SimBA of ART', ...l2 },
  { id: 'art-square', name: 'Square of ART', ...linf },
  { id: 'art-zoo', name: 'ZOO of ART', ...l2 },
  { id: 'foolbox-boundary', name: 'Boundary of Foolbox', ...l2 },
  { id: 'foolbox-hop-skip-jump', name: 'HopSkipJump of Foolbox', ...l2 },
  { id: 'torchattacks-square-linf', name: 'Square of torchattacks', ...linf },
  { id: 'torchattacks-square-l2', name: 'Square of torchattacks', ...l2 },
];

/** One row of the table of thefts. */
export interface TheftCase {
  readonly name: string;
  readonly spec: string;
  /** Whose samples: see bench/ours/stateful/pictures.ts. */
  readonly pool: 'natural' | 'digits' | 'moved' | 'none';
  readonly delivery: Delivery;
  readonly knows?: string;
}

const THEFTS: readonly Omit<TheftCase, 'delivery'>[] = [
  { name: 'Knockoff, natural pictures', spec: 'knockoff', pool: 'natural' },
  { name: 'Knockoff, digits turned and shifted', spec: 'knockoff', pool: 'moved' },
  { name: 'Knockoff, digits like calm ones', spec: 'knockoff', pool: 'digits' },
  { name: 'Random noise', spec: 'noise', pool: 'none' },
  { name: 'Jacobian-based augmentation', spec: 'jacobian', pool: 'digits' },
  { name: 'Boundary queries (CloudLeak)', spec: 'cloudleak', pool: 'digits' },
];

/** Ways to copy as they are, and what a thief who knows the guards may do. */
export const THEFT_CASES: readonly TheftCase[] = [
  ...THEFTS.map((each) => ({ ...each, delivery: PLAIN })),
  ...[THEFTS[0]!, THEFTS[1]!, THEFTS[4]!].flatMap((each): TheftCase[] => [
    { ...each, delivery: { name: '1 decoy', keys: 1, decoys: 1 }, knows: 'a calm query for each' },
    { ...each, delivery: { name: '4 decoys', keys: 1, decoys: 4 }, knows: '4 calm queries for each' },
    { ...each, delivery: { name: '19 decoys', keys: 1, decoys: 19 }, knows: '19 calm queries for each' },
    { ...each, delivery: { name: '10 keys', keys: 10, decoys: 0 }, knows: 'split over 10 keys' },
    { ...each, delivery: { name: '100 keys', keys: 100, decoys: 0 }, knows: 'split over 100 keys' },
  ]),
];
