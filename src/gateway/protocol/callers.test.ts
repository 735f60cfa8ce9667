import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Callers } from './callers.ts';
import { blockListOf, listenSchema } from './config-schema.ts';
import { startFaces } from './faces.fixture.ts';

const proxies = ['10.0.0.0/8', '192.0.2.1', 'fd00::/8'];
const callers = new Callers(blockListOf(proxies), true);
const address = (remoteAddress: string, forwarded?: string) =>
  callers.of({ remoteAddress } as Socket, undefined, forwarded).address;

describe('the address of a caller', () => {
  it('is that of the connection, whatever it says of itself', () => {
    expect(address('198.51.100.7', '203.0.113.9')).toBe('198.51.100.7');
    expect(address('::ffff:198.51.100.7')).toBe('198.51.100.7');
  });
  it('is what a trusted proxy says', () => {
    expect(address('10.1.2.3', '203.0.113.9')).toBe('203.0.113.9');
    expect(address('::ffff:192.0.2.1', '203.0.113.9')).toBe('203.0.113.9');
    expect(address('fd12::1', '2001:db8::1')).toBe('2001:db8:0:0:0:0:0:1');
  });
  it('is the nearest that is no trusted proxy: what stands before it is made up', () => {
    expect(address('10.1.2.3', '6.6.6.6, 203.0.113.9, 10.9.9.9')).toBe('203.0.113.9');
    expect(address('10.1.2.3', '10.9.9.9, 10.8.8.8')).toBe('10.9.9.9');
  });
  it('is the nearest proxy’s where it says nothing sound', () => {
    expect(address('10.1.2.3')).toBe('10.1.2.3');
    expect(address('10.1.2.3', '')).toBe('10.1.2.3');
    expect(address('10.1.2.3', 'unknown')).toBe('10.1.2.3');
    expect(address('10.1.2.3', '203.0.113.9, evil, 10.9.9.9')).toBe('10.9.9.9');
    expect(address('10.1.2.3', '203.0.113.9:80')).toBe('10.1.2.3');
    expect(address('10.1.2.3', `6.6.6.6, ${'10.0.0.1, '.repeat(1000)}203.0.113.9`)).toBe('203.0.113.9');
  });
  it('over both faces', async () => {
    const at = await startFaces({ trustedProxies: ['127.0.0.1'] });
    await at.ask({ inputs: [] }, { 'x-forwarded-for': '203.0.113.9' });
    await at.call('ModelInfer', Buffer.alloc(0), { headers: { 'x-forwarded-for': '203.0.113.8' } });
    expect([...at.seen.questions, ...at.seen.malformed].map(({ caller }) => caller.address)).toEqual([
      '203.0.113.9',
      '203.0.113.8',
    ]);
    await at.stop();
  });
});

it('networks are checked', () => {
  for (const bad of ['10.0.0.0/33', '10.0.0', 'a', '::/129', '10.0.0.0/8/8', '10.0.0.0/', '10.0.0.0/-1'])
    expect(listenSchema.safeParse({ trustedProxies: [bad] }).success, bad).toBe(false);
  expect(listenSchema.safeParse({ trustedProxies: proxies }).success).toBe(true);
});

it('what is left out is safe', () => {
  expect(listenSchema.parse({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    trustedProxies: [],
    limits: { headerBytes: 16_384, bodyTime: 30_000 },
  });
  expect(listenSchema.safeParse({ limit: {} }).success).toBe(false);
});
