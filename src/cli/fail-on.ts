import { type Finding, SEVERITIES, type Severity } from '../assess/result.ts';
import type { OptionSpec } from './args.ts';

/** `--fail-on` of every command that has findings. */
export const FAIL_ON: OptionSpec = {
  value: 'SEVERITY',
  help: `leave with 1 when a finding is this grave or graver: ${SEVERITIES.join(', ')}`,
};

/** Whether a finding is as grave as `limit`, or graver; never without a limit. */
export function isGrave(findings: readonly Finding[], limit: Severity | undefined): boolean {
  const most = limit === undefined ? -1 : SEVERITIES.indexOf(limit);
  return findings.some(({ severity }) => SEVERITIES.indexOf(severity) <= most);
}
