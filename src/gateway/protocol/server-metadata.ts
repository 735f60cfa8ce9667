import type { ServerMetadata } from '../../oip/index.ts';

/** What the server says of itself to anybody: the protocol's version, not the release's, which only helps who looks for old ones. */
export const SERVER: ServerMetadata = { name: 'glacis', version: '2', extensions: ['binary_tensor_data'] };
