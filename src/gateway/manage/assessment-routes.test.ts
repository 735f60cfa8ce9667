import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { span, writeSide } from '../../assess/compare/side.fixture.ts';
import { sampleAssessment, sampleResult, sampleWorstCase } from '../../assess/result.fixture.ts';
import { toJson } from '../../assess/result-json.ts';
import type { AssessmentList } from '../console/api.ts';
import { type Assessments, openAssessments } from '../console/assessments/open-assessments.ts';
import { assessmentRoutes } from './assessment-routes.ts';
import { call } from './routes.fixture.ts';

let folder: string;
let opened: Assessments;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-assessments-'));
  opened = openAssessments(folder);
});
afterEach(async () => {
  await opened.close();
  await rm(folder, { recursive: true });
});

const routes = () => assessmentRoutes(opened);
const list = async (query = {}) =>
  (await call(routes(), 'GET /api/assessments', { query })).json as AssessmentList;
const day = (n: number) => `2026-11-${String(n).padStart(2, '0')}T12:00:00Z`;

async function put(name: string, more: Parameters<typeof sampleAssessment>[0] = {}): Promise<void> {
  await mkdir(join(folder, name, '..'), { recursive: true });
  await writeFile(join(folder, name), toJson(sampleAssessment(more)));
}

describe('assessments in a folder', () => {
  it('are listed with the worst case of each ball, the newest first, page by page', async () => {
    for (let n = 1; n <= 5; n++)
      await put(`run-${n}/assessment.json`, {
        finishedAt: day(n),
        results: [sampleResult('fgsm', 0.1, [70, 90, 100]), sampleResult('pgd', 0.1, [60, 90, 100])],
        worstCases: n === 5 ? [sampleWorstCase(0.1, [55, 90, 100])] : [],
      });
    const { rows, next, unreadable, configured } = await list({ most: '2' });
    expect(rows.map(({ at }) => at)).toEqual([Date.parse(day(5)), Date.parse(day(4))]);
    expect(rows[0]!.robust).toMatchObject([{ eps: 0.1, accuracy: 0.55 }]);
    expect(rows[1]!.robust).toMatchObject([{ eps: 0.1, accuracy: 0.6, attacks: 1 }]);
    expect({ unreadable, configured }).toEqual({ unreadable: 0, configured: true });
    const rest = await list({ most: '5', before: next! });
    expect(rest.rows).toHaveLength(3);
    expect(rest.next).toBeUndefined();
  });

  it('are found by model, data or digest', async () => {
    await put('a.json', { model: { ...sampleAssessment().model, name: 'Signs <b>' } });
    expect((await list({ find: 'SIGNS' })).rows).toHaveLength(1);
    expect((await list({ find: 'zebra' })).rows).toHaveLength(0);
  });

  it('are found by the root digest of a model in service, which is not that of its file', async () => {
    // `glacis digest` of the file whose SHA-256 is 64 zeros: SHA-256 of 32 zero bytes (OMS v1.0, 6.5.1).
    const root = 'sha256:66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925';
    const { model } = sampleAssessment();
    await put('a.json', { model: { ...model, digest: `sha256:${'0'.repeat(64)}` } });
    await put('b.json', { model: { ...model, digest: 'sha256:short' } });
    const { rows } = await list({ find: root });
    expect(rows.map((row) => row.root)).toEqual([root]);
    expect((await list()).rows.map((row) => row.root)).toContain(undefined);
  });

  it('pass over what is none, count what is broken, and follow no link', async () => {
    await put('good.json');
    await writeFile(join(folder, 'settings.json'), '{"theme": "dark"}');
    await writeFile(join(folder, 'broken.json'), '{"schema": "glacis.assessment/1", "model": 3');
    const outside = await mkdtemp(join(tmpdir(), 'glacis-outside-'));
    await writeFile(join(outside, 'secret.json'), toJson(sampleAssessment()));
    await symlink(outside, join(folder, 'link'));
    await symlink(join(outside, 'secret.json'), join(folder, 'link.json'));
    const { rows, unreadable } = await list();
    expect(rows).toHaveLength(1);
    expect(unreadable).toBe(1);
    await rm(outside, { recursive: true });
  });

  it('are given whole by their id, and nothing by a path', async () => {
    await put('good.json');
    const [row] = (await list()).rows;
    const { bytes } = await call(routes(), 'GET /api/assessments/:id', { params: { id: row!.id } });
    expect(JSON.parse(String(bytes)).schema).toBe('glacis.assessment/1');
    for (const id of ['good.json', '../good.json', '/etc/passwd', '__proto__', ''])
      expect((await call(routes(), 'GET /api/assessments/:id', { params: { id } })).status).toBe(404);
  });

  it('have a report in which nothing runs: their own, or one that is made of them', async () => {
    await put('one/assessment.json');
    await put('two/assessment.json');
    await writeFile(join(folder, 'two/report.html'), '<script>alert(1)</script>mine');
    const pages = await Promise.all(
      (await list()).rows.map(({ id }) =>
        call(routes(), 'GET /api/assessments/:id/report', { params: { id } }),
      ),
    );
    for (const { headers } of pages) {
      const policy = String(headers!['content-security-policy']);
      expect(policy).toMatch(/^sandbox; default-src 'none';/);
      expect(policy).not.toMatch(/allow-scripts|script-src|unsafe-eval/);
    }
    const texts = pages.map(({ bytes }) => String(bytes)).sort((a, b) => a.length - b.length);
    expect(texts[0]).toContain('mine');
    expect(texts[1]).toContain('robustness report');
  });

  it('are held against each other sample by sample', async () => {
    const side = (fell: readonly number[]) => ({ n: 40, runs: [{ attack: 'pgd', eps: 0.1, fell }] });
    await writeSide(join(folder, 'a/assessment.json'), side(span(0, 30)));
    await writeSide(join(folder, 'b/assessment.json'), side(span(0, 4)));
    const ids = (await list()).rows.map(({ id }) => id);
    const query = { a: ids[0]!, b: ids[1]! };
    const { bytes } = await call(routes(), 'GET /api/assessments/compare', { query });
    const { paired, rows } = JSON.parse(String(bytes));
    expect(paired).toBe(true);
    expect(['higher', 'lower']).toContain(rows.at(-1).contrasts[0].verdict);
    const none = await call(routes(), 'GET /api/assessments/compare', { query: { a: ids[0]!, b: 'x' } });
    expect(none.status).toBe(404);
  });

  it('say so where there is no folder, or none was named', async () => {
    await opened.close();
    opened = openAssessments(join(folder, 'not-there'));
    expect(await list()).toMatchObject({ rows: [], configured: true });
    const none = await call(assessmentRoutes(undefined), 'GET /api/assessments');
    expect(none.json).toMatchObject({ rows: [], configured: false });
    await expect(
      call(assessmentRoutes(undefined), 'GET /api/assessments/:id', { params: { id: 'x' } }),
    ).rejects.toMatchObject({ refusal: 'unknown' });
  });

  it('refuse a result that is too large to be read', async () => {
    const head = '{"schema": "glacis.assessment/1", "x": "';
    await writeFile(join(folder, 'huge.json'), `${head}${' '.repeat((32 << 20) + 1)}"}`);
    expect(await list()).toMatchObject({ rows: [], unreadable: 1 });
  });
});
