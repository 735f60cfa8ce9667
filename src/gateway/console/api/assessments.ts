import type { Page } from './page.ts';

/** `GET /api/assessments`: reports in the folder that `serve.console.assessments` names, newest first. `GET /api/assessments/:id` is the whole result (`glacis.assessment/1`), `…/:id/report` its page. */
export interface AssessmentRow {
  readonly id: string;
  readonly at: number;
  readonly model: string;
  /** Of the file that was assessed. */
  readonly digest: string;
  /** The root digest of a model that is this one file: what signatures, the log and models in service are called by. */
  readonly root?: string | undefined;
  readonly data: string;
  readonly dataDigest: string;
  readonly n: number;
  readonly status: 'complete' | 'partial';
  readonly cleanAccuracy: number | undefined;
  /** The least over all attacks of a ball, by norm and eps. */
  readonly robust: readonly {
    readonly norm: string;
    readonly eps: number;
    readonly accuracy: number;
    readonly low: number;
    readonly high: number;
    readonly attacks: number;
  }[];
  readonly findings: readonly { readonly id: string; readonly title: string; readonly severity: string }[];
  readonly hasReport: boolean;
}

/** `GET /api/assessments?find=&before=&most=`. `GET /api/assessments/compare?a=&b=` is a `glacis.comparison/1`. */
export interface AssessmentList extends Page<AssessmentRow> {
  /** Files that claim to be results and cannot be read. */
  readonly unreadable: number;
  /** Whether the configuration names a folder. */
  readonly configured: boolean;
}
