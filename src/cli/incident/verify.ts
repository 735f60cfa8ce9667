import { readFile, stat } from 'node:fs/promises';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { parseTrustFile } from '../../gateway/record/log-folder.ts';
import { MOST_ZIP_BYTES } from '../../incident/evidence/stored-zip.ts';
import { verifyEvidence } from '../../incident/evidence/verify-evidence.ts';
import { publicKeyFrom } from '../../supply/sign/ec-key.ts';
import type { Verb } from '../verbs.ts';
import { lines, timeOf } from './show.ts';

/** `glacis incident verify`: a bundle, without any server. */
export const verify: Verb = async ({ given }, [path = '']) => {
  const trusted = await Promise.all(
    given.texts('trust').map(async (file) => ({ file, bytes: await read(file) })),
  );
  const logs = trusted.filter(({ bytes }) => bytes.toString('latin1').trimStart().startsWith('{'));
  const keys = trusted.filter((each) => !logs.includes(each));
  if (logs.length !== 1)
    throw new GlacisError(
      'option/invalid',
      "--trust: expected the FILE with the log's keys (log.trust.json), as you keep it; a bundle cannot vouch for itself",
    );
  const trust = parseTrustFile(logs[0]!.bytes, logs[0]!.file);
  const verdict = verifyEvidence(
    await read(path),
    trust,
    keys.map(({ bytes, file }) => publicKeyFrom(bytes, file)),
  );
  const { ok, checks, proven, log, missing } = verdict;
  const signed = log?.signed === undefined ? '' : `, signed ${timeOf(log.signed * 1000)}`;
  return {
    json: verdict,
    good: ok,
    text: lines([
      ...checks.map((each) => `${each.ok ? 'ok     ' : 'NOT OK '} ${each.file}: ${each.detail}`),
      ok
        ? `${verdict.case}: ${proven.events} events and ${proven.decisions} decisions are proven by ${log?.origin} (${log?.entries} entries${signed})${missing > 0 ? `; nothing is proven about ${missing} entries that are not in it` : ''}`
        : `${checks.filter((each) => !each.ok).length} of ${checks.length} checks are not good`,
    ]),
  };
};

async function read(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MOST_ZIP_BYTES) throw new Error(`expected at most ${MOST_ZIP_BYTES} bytes, got ${size}`);
    return await readFile(path);
  } catch (thrown) {
    throw asGlacisError(thrown, 'bundle/invalid', path);
  }
}
