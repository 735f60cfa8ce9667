import { expect, it } from 'vitest';
import { History } from './history.ts';

it('a match goes no farther back than the beginning and the dictionary', () => {
  const history = new History(4096, 'x');
  history.append(Uint8Array.of(65));
  expect(() => history.back(2)).toThrow(expect.objectContaining({ code: 'data/unreadable' }));
  history.append(new Uint8Array(5000).fill(66));
  expect(history.back(4096)).toBe(66);
  expect(() => history.back(4097)).toThrow(expect.objectContaining({ code: 'data/unreadable' }));
  history.empty();
  expect(() => history.copy(1, 1)).toThrow(expect.objectContaining({ code: 'data/unreadable' }));
});

it('what was taken and lies farther back than any preset reaches is not kept', () => {
  const history = new History(2 ** 30, 'x');
  const piece = new Uint8Array(1 << 22);
  for (let i = 0; i < 40; i++) {
    history.append(piece);
    expect(history.take().length).toBe(piece.length);
  }
  expect(history.back(1 << 26)).toBe(0);
  expect(() => history.back(history.total)).toThrow(expect.objectContaining({ code: 'scan/limit' }));
});
