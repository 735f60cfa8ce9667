import { fakeGateway } from '../../../src/gateway/protocol/fake-gateway.fixture.ts';
import { listenSchema, openFaces } from '../../../src/gateway/protocol/index.ts';

/** Both faces in front of a gateway that echoes, for check.py: prints where they are, and stays until standard input ends. */
const faces = await openFaces(
  fakeGateway({ mostBytes: 1 << 26 }),
  listenSchema.parse({ port: 0, grpcPort: 0 }),
);
process.stdout.write(`${JSON.stringify(faces.addresses)}\n`);
process.stdin.resume();
process.stdin.on('end', () => void faces.drain());
