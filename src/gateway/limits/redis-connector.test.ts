import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { HeardConnector } from './redis-connector.ts';

it('hears every error of a connection, so that none ends the process', async () => {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { readonly port: number };
  const connector = new HeardConnector({ host: '127.0.0.1', port });
  const stream = await connector.connect();
  stream.emit('error', new Error('first'));
  expect(() => stream.emit('error', new Error('second'))).not.toThrow();
  expect(connector.firstError?.message).toBe('first');
  stream.destroy();
  server.close();
});
