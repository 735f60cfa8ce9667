import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  isConsistent,
  leafHash,
  nodeHash,
  rootFromInclusion,
  rootOf,
  type SubtreeReader,
} from './merkle.ts';

/** Leaves and roots of the test tree of Certificate Transparency (google/certificate-transparency, merkle_tree_test.cc). */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const reader =
  (leaves: readonly Uint8Array[]): SubtreeReader =>
  (height, index) => {
    const at = (h: number, i: number): Uint8Array =>
      h === 0 ? leaves[i]! : nodeHash(at(h - 1, 2 * i), at(h - 1, 2 * i + 1));
    return at(height, index);
  };
const known = reader(LEAVES.map((leaf) => leafHash(Buffer.from(leaf, 'hex'))));

describe('the Merkle tree of RFC 6962', () => {
  it('has the roots of the published test tree', async () => {
    expect(hex(await rootOf(0, known))).toBe(hex(EMPTY_ROOT));
    for (const [i, root] of ROOTS.entries()) expect(hex(await rootOf(i + 1, known))).toBe(root);
  });

  it('gives the published proofs of the test tree', async () => {
    const proof = async (index: number, size: number) => (await inclusionProof(index, size, known)).map(hex);
    expect(await proof(0, 1)).toEqual([]);
    expect(await proof(2, 3)).toEqual([ROOTS[1]]);
    expect(await proof(1, 5)).toEqual([
      ROOTS[0],
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ]);
    expect((await consistencyProof(6, 8, known)).map(hex)).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      ROOTS[3],
    ]);
  });

  it('proves every leaf and every earlier tree for sizes up to 40, and nothing else', async () => {
    const leaves = Array.from({ length: 40 }, (_, i) => leafHash(Uint8Array.of(i)));
    const read = reader(leaves);
    const roots = await Promise.all(Array.from({ length: 41 }, (_, size) => rootOf(size, read)));
    for (let size = 1; size <= 40; size += 3) {
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(index, size, read);
        expect(rootFromInclusion(index, size, leaves[index]!, proof)).toEqual(roots[size]);
        expect(rootFromInclusion((index + 1) % size, size, leaves[index]!, proof)).not.toEqual(
          size === 1 ? undefined : roots[size],
        );
        expect(rootFromInclusion(index, size, leaves[index]!, [...proof, leaves[0]!])).toBeUndefined();
        expect(
          rootFromInclusion(index, size, leaves[index]!, proof.slice(1)) ?? new Uint8Array(),
        ).not.toEqual(size === 1 ? undefined : roots[size]);
      }
      for (let earlier = 0; earlier <= size; earlier++) {
        const proof = await consistencyProof(earlier, size, read);
        expect(isConsistent(earlier, size, roots[earlier]!, roots[size]!, proof)).toBe(true);
        expect(isConsistent(earlier, size, leaves[0]!, roots[size]!, proof)).toBe(earlier === 1);
        expect(isConsistent(earlier, size, roots[earlier]!, leaves[39]!, proof)).toBe(earlier === 0);
        expect(isConsistent(earlier, size, roots[earlier]!, roots[size]!, [...proof, leaves[0]!])).toBe(
          false,
        );
      }
    }
  });

  it('refuses sizes and proofs that cannot be, without counting to them', () => {
    const leaf = leafHash(new Uint8Array());
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [-1, 1],
      [0.5, 1],
      [0, Number.POSITIVE_INFINITY],
      [0, 2 ** 53],
    ] as const)
      expect(rootFromInclusion(index, size, leaf, [])).toBeUndefined();
    expect(isConsistent(2, 1, leaf, leaf, [])).toBe(false);
    expect(isConsistent(1, 2, leaf, leaf, [new Uint8Array(31)])).toBe(false);
    expect(isConsistent(3, 4, leaf, leaf, [])).toBe(false);
  });

  it('never throws on arbitrary proofs', () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeInteger());
    fc.assert(
      fc.property(
        size,
        size,
        fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 60 }),
        (a, b, proof) => {
          const [leaf, other] = [leafHash(Uint8Array.of(1)), leafHash(Uint8Array.of(2))];
          rootFromInclusion(a, b, leaf, proof);
          expect(isConsistent(a, b, leaf, other, proof)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
