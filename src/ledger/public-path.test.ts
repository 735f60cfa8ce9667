import fc from 'fast-check';
import { expect, it } from 'vitest';
import { publicFile } from './public-path.ts';
import { tilePath } from './tile.ts';

it('every file of a log has a public path', () => {
  expect(publicFile('checkpoint')).toBe('checkpoint');
  fc.assert(
    fc.property(
      fc.oneof(fc.constant('entries' as const), fc.nat(6)),
      fc.integer({ min: 0, max: 2 ** 45 }),
      fc.integer({ min: 1, max: 256 }),
      (level, index, width) => {
        expect(publicFile(tilePath({ level, index, width }))).toBe(width === 256 ? 'full' : 'partial');
      },
    ),
  );
});

it('abuse 16: no other path has', () => {
  for (const path of [
    '',
    '/checkpoint',
    'checkpoint/',
    'checkpoint\n',
    'CHECKPOINT',
    '.journal/0',
    '.lock',
    '.staging/placed-0',
    'tile',
    'tile/0',
    'tile/0/000/..',
    'tile/0/../../checkpoint',
    'tile/0/%2e%2e/000',
    'tile/0/..\\000',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/00/000',
    'tile/7/000',
    'tile/0/000.p',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/257',
    'tile/0/000\0',
    'tile/-1/000',
    `tile/0/${'x999/'.repeat(9)}999`,
    '../log-key.pem',
    'log-key.pem',
  ])
    expect(publicFile(path), path).toBeUndefined();
  fc.assert(fc.property(fc.string(), (path) => publicFile(path) === undefined || path === 'checkpoint'));
});
