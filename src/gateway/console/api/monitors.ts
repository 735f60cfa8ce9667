import type { MonitorState } from '../../../monitor/monitor.ts';

/** `GET /api/monitors?model=` */
export interface Monitors {
  readonly states: readonly MonitorState[];
  /** Sketches of the last calls that were drawn, as pictures where the model takes pictures: row-major in [0, 1], `channels` 1 or 3. */
  readonly samples: readonly {
    readonly decision: string;
    readonly at: number;
    readonly principal: string | undefined;
    readonly label: number | undefined;
    readonly score: number | undefined;
    readonly picture?: {
      readonly width: number;
      readonly height: number;
      readonly channels: number;
      readonly values: readonly number[];
    };
    readonly features?: readonly number[];
  }[];
  readonly classNames?: readonly string[] | undefined;
}
