import { serialize } from 'node:v8';
import { asGlacisError } from '../core/error.ts';
import { decodeParquet } from './parquet-columns.ts';

// The program of the child process that `parquet.ts` starts: one file in, one serialized answer out on stdout.
const { path, where, ...options } = JSON.parse(process.argv[2]!);
const answer = await decodeParquet(path, options, where).catch((thrown: unknown) => {
  const { code, message } = asGlacisError(
    thrown,
    'data/unreadable',
    `${where}: expected Parquet, got a file that breaks it`,
  );
  return { error: { code, message } };
});
process.stdout.write(serialize(answer));
