import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { span, writeSide } from '../../../src/assess/compare/side.fixture.ts';
import { sampleAssessment, sampleWorstCase } from '../../../src/assess/result.fixture.ts';
import { randomFrom } from '../../../src/core/random.ts';
import { openAssessments } from '../../../src/gateway/console/assessments/open-assessments.ts';
import { assessmentRoutes } from '../../../src/gateway/manage/assessment-routes.ts';
import type { Fixture } from '../fixture-server.ts';
import { fromRoutes } from './from-routes.ts';

const EPS = [1 / 255, 2 / 255, 4 / 255, 8 / 255];
const N = 400;

/** Results of assessments in a folder, of a network before and after it was hardened, over some weeks. */
export async function openRealAssessments(
  folder: string,
): Promise<{ fixtures: readonly Fixture[]; close(): Promise<void> }> {
  const rng = randomFrom(1, 'assessments');
  const base = sampleAssessment();
  for (let week = 0; week < 6; week++) {
    const isHard = week >= 3;
    // What is right at eps, of 400.
    const right = EPS.map((eps) =>
      Math.round(N * (isHard ? 0.93 - eps * 14 : 0.95 - eps * 92) + rng.normal() * 3),
    ).map((n) => Math.max(4, Math.min(376, n)));
    const wrong = span(0, isHard ? 22 : 14);
    const fell = (i: number) => span(wrong.length, N - Math.min(right[i]!, N - wrong.length));
    const at = new Date(Date.now() - (5 - week) * 7 * 86_400_000 - 3_600_000).toISOString();
    const path = join(folder, `week-${week}`, 'assessment.json');
    await mkdir(join(path, '..'), { recursive: true });
    await writeSide(path, {
      n: N,
      wrong,
      runs: EPS.flatMap((eps, i) => [
        { attack: 'fgsm', eps, fell: fell(i).slice(0, Math.round(fell(i).length * 0.7)) },
        { attack: 'pgd', eps, fell: fell(i) },
      ]),
      more: {
        model: { ...base.model, name: isHard ? 'traffic-signs (hardened)' : 'traffic-signs' },
        data: { ...base.data, n: N, description: '400 rendered pictures of traffic signs' },
        ...{ startedAt: at, finishedAt: at },
        worstCases: EPS.map((eps, i) =>
          sampleWorstCase(eps, [Math.min(right[i]!, N - wrong.length), N - wrong.length, N]),
        ),
        findings: isHard ? base.findings.slice(0, 1) : base.findings,
      },
    });
  }
  await writeFile(join(folder, 'broken.json'), '{"schema": "glacis.assessment/1", ');
  const opened = openAssessments(folder);
  return { fixtures: fromRoutes(assessmentRoutes(opened)), close: () => opened.close() };
}
