import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { timeSpan } from '../../store/index.ts';

const count = (most: number) =>
  z
    .int({ error: 'a whole number of 1 or more' })
    .min(1)
    .max(most, { error: `at most ${most}` });
const file = z.string().min(1).max(4096);

/** An address, or a network such as `10.0.0.0/8`. */
const network = z.string().refine(isNetwork, { error: 'an address or a network such as 10.0.0.0/8' });

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The networks of a list, to look addresses up in. */
export function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family);
  }
  return list;
}

const tlsSchema = z.strictObject({
  cert: file.describe('PEM file of the certificate, with what lies between it and its authority.'),
  key: file.describe('PEM file of its private key.'),
  clientCa: file
    .optional()
    .describe('PEM file of the authorities whose client certificates are accepted (mutual TLS).'),
  clientCertificates: z
    .enum(['required', 'optional'])
    .default('required')
    .describe('With clientCa: whether a connection without a valid certificate is refused.'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('The oldest TLS that is spoken.'),
});

const limitsSchema = z.strictObject({
  headerBytes: count(1 << 20)
    .default(16_384)
    .describe('Most bytes of a request’s headers or metadata. A 100 kB token is refused here.'),
  headerTime: timeSpan.default(10_000).describe('How long headers may take, from the connection on.'),
  bodyTime: timeSpan.default(30_000).describe('How long a whole request may take to arrive.'),
  idleTime: timeSpan
    .default(120_000)
    .describe('How long nothing may move: also an answer that nobody reads. Longer than any answer takes.'),
  keepAliveTime: timeSpan.default(65_000).describe('How long a connection may wait for its next request.'),
  jsonBytes: count(1 << 25)
    .default(8 << 20)
    .describe('Most bytes of JSON in a request, after inflating; larger tensors go in binary form.'),
  connections: count(1_000_000).default(2048).describe('Most connections to each face.'),
  connectionsPerAddress: count(1_000_000)
    .default(512)
    .describe(
      'Most connections from one address (the first 64 bits of IPv6); trusted proxies have no such limit.',
    ),
  requestsPerConnection: count(1_000_000_000)
    .default(1_000_000)
    .describe('Requests after which a connection is closed in good order.'),
  streamsPerConnection: count(10_000).default(128).describe('Calls at once on one gRPC connection.'),
  requestsAtOnce: count(1_000_000).default(4096).describe('Requests in work at once, over both faces.'),
  bufferedBytes: count(2 ** 40)
    .default(512 << 20)
    .describe('Most bytes of all requests in work together; one address has a quarter, or one request.'),
  drainTime: timeSpan.default(30_000).describe('How long requests in work may take to end when it stops.'),
});

/** `serve.listen`: where the gateway is spoken to. */
export const listenSchema = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(255)
      .default('127.0.0.1')
      .describe('The address; this machine alone unless given.'),
    port: z.int().min(0).max(65_535).default(8080).describe('Port of REST; 0 takes a free one.'),
    grpcPort: z.int().min(0).max(65_535).optional().describe('Port of gRPC; none unless given.'),
    tls: tlsSchema.optional().describe('TLS for both faces.'),
    trustedProxies: z
      .array(network)
      .max(100)
      .default([])
      .describe('Proxies whose X-Forwarded-For is believed.'),
    compression: z
      .boolean()
      .default(true)
      .describe('Whether answers are compressed for those who ask. Off where the length must say nothing.'),
    limits: limitsSchema.prefault({}).describe('What one caller, and all together, may take.'),
  })
  .describe('Where the gateway is spoken to.');

/** What the policy says of listening. */
export type ListenConfig = z.output<typeof listenSchema>;

/** Its limits; times in milliseconds. */
export type ListenLimits = ListenConfig['limits'];

/** Its files of TLS. */
export type TlsConfig = NonNullable<ListenConfig['tls']>;
