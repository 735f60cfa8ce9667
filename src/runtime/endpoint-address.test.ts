import { describe, expect, it } from 'vitest';
import { endpointAddress, isEndpoint } from './endpoint-address.ts';

describe("an endpoint's address", () => {
  it.each([
    ['http://localhost:8000/v2/models/m', 'http://localhost:8000/v2/models/m', false],
    ['http://127.1.2.3/v2/models/m/', 'http://127.1.2.3/v2/models/m', false],
    ['http://[::1]:1/v2/models/m', 'http://[::1]:1/v2/models/m', false],
    ['http://10.0.0.1/v2/models/m', 'http://10.0.0.1/v2/models/m', true],
    ['http://localhost.example/v2/models/m', 'http://localhost.example/v2/models/m', true],
    ['HTTPS://Example.org:443/v2/models/m/versions/3', 'https://example.org/v2/models/m/versions/3', false],
    ['https://h/seldon/ns/x/v2/models/a%20b', 'https://h/seldon/ns/x/v2/models/a%20b', false],
    ['https://h/v2/models/x/../m', 'https://h/v2/models/m', false],
  ])('%s', (address, url, exposed) => {
    expect(endpointAddress(address)).toEqual({ url, exposed, authorization: undefined });
  });

  it.each([
    ['grpc://localhost:8001/v2/models/m', 'http://localhost:8001', 'm', undefined, false],
    ['GRPCS://Example.org/v2/models/a%20b/versions/3', 'https://example.org', 'a b', '3', false],
    ['grpc://10.0.0.1:8001/v2/models/m/', 'http://10.0.0.1:8001', 'm', undefined, true],
  ])('over gRPC: %s', (address, origin, model, version, exposed) => {
    const { url, grpc, exposed: isExposed } = endpointAddress(address);
    expect(grpc).toEqual({ origin, model, version });
    expect(url).toMatch(/^grpcs?:\/\/[a-z0-9.:]+\/v2\/models\/[^/]+(?:\/versions\/3)?$/);
    expect(isExposed).toBe(exposed);
  });

  it('may hold a user and a password, which its name does not', () => {
    expect(endpointAddress('https://me:p%40ss@h/v2/models/m')).toEqual({
      url: 'https://h/v2/models/m',
      exposed: false,
      authorization: `Basic ${btoa('me:p@ss')}`,
    });
  });

  it.each([
    ['grpc://host:8001/m', /another path/],
    ['grpc://host:8001/secret/v2/models/m', /another path/],
    ['grpc://host:8001/v2/models/%zz', /a name with a broken % sequence/],
    ['grpc://host:99999/v2/models/m', /something that is no address/],
    ['ftp://host/v2/models/m', /an address of ftp:/],
    ['secret', /something that is no address/],
    ['http://', /something that is no address/],
    ['http://host/secret', /another path/],
    ['http://host/v2/models/', /another path/],
    ['http://host/v2/models/m/infer', /another path/],
    ['http://host/v2/models/m/versions/', /another path/],
    ['http://host/v2/models/m?key=secret', /a query or fragment/],
    ['http://host/v2/models/m#secret', /a query or fragment/],
    ['http://%zz:secret@host/v2/models/m', /a broken % sequence/],
    ['http://me:secret@host:99999/v2/models/m', /something that is no address/],
  ])('is refused without being repeated: %s', (address, message) => {
    const expected = expect.objectContaining({
      code: 'option/invalid',
      message: expect.stringMatching(message),
    });
    expect(() => endpointAddress(address)).toThrow(expected);
    expect(() => endpointAddress(address)).not.toThrow(/secret/);
  });

  it('is told from a file', () => {
    expect(['http://h/x', 'HTTPS://h', 'grpc://h'].every(isEndpoint)).toBe(true);
    expect(['model.onnx', 'http.onnx', './http:/x', 'C:\\model.onnx', 'file:///x'].some(isEndpoint)).toBe(
      false,
    );
  });
});
