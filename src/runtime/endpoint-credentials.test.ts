import { describe, expect, it } from 'vitest';
import { credentialsFrom } from './endpoint-credentials.ts';

const address = { url: 'https://h/v2/models/m', exposed: false, authorization: undefined };
const withUser = { ...address, authorization: 'Basic bWU6cEBzcw==' };

describe('credentials', () => {
  it('are one header; the environment comes last', () => {
    const of = (
      ...[at, headers, token]: [typeof address | typeof withUser, Record<string, string>, string?]
    ) => credentialsFrom(at, headers, token, 'fallback').headers;
    expect(of(address, {})).toEqual({ authorization: 'Bearer fallback' });
    expect(of(address, {}, ' token\n')).toEqual({ authorization: 'Bearer token' });
    expect(of(withUser, {})).toEqual({ authorization: 'Basic bWU6cEBzcw==' });
    expect(of(address, { Authorization: 'Key k' })).toEqual({ authorization: 'Key k' });
    expect(credentialsFrom(address, { 'X-A': 'b' }, undefined, undefined).headers).toEqual({ 'x-a': 'b' });
    expect(credentialsFrom(address, {}, '', '').headers).toEqual({});
  });

  it('of two kinds are refused', () => {
    for (const run of [
      () => credentialsFrom(withUser, {}, 'token', undefined),
      () => credentialsFrom(withUser, { authorization: 'x' }, undefined, undefined),
      () => credentialsFrom(address, { authorization: 'x' }, 'token', undefined),
    ])
      expect(run).toThrow(expect.objectContaining({ code: 'option/invalid' }));
  });

  it('are secrets with and without their kind', () => {
    const { secrets } = credentialsFrom(address, { 'x-key': 'abcd', 'x-n': '1' }, 'token', undefined);
    expect(secrets).toEqual(['abcd', 'Bearer token', 'token']);
  });

  it.each<[Record<string, string>]>([
    [{ Host: 'x' }],
    [{ 'content-length': '1' }],
    [{ 'Inference-Header-Content-Length': '1' }],
    [{ 'a b': 'x' }],
    [{ '': 'x' }],
    [{ 'x-a': '1', 'X-A': '2' }],
    [{ 'x-a': 'secret\r\nx: y' }],
    [{ 'x-a': 'sécret' }],
    [{ 'x-a': '' }],
  ])('do not take the header %j, and do not repeat its value', (headers) => {
    const run = () => credentialsFrom(address, headers, undefined, undefined);
    expect(run).toThrow(expect.objectContaining({ code: 'option/invalid' }));
    expect(run).not.toThrow(/cret/);
  });

  it('do not take a token of several lines, and do not repeat it', () => {
    const run = () => credentialsFrom(address, {}, 'sec\nret', undefined);
    expect(run).toThrow(/token: expected printable ASCII/);
    expect(run).not.toThrow(/ret\b/);
  });
});
