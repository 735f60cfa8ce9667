import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';
import { Time } from './time.tsx';

/** Something that happened. */
export interface Moment {
  readonly id: string;
  readonly at: number;
  readonly icon: IconName;
  readonly tone?: 'held' | 'changed' | 'warn' | undefined;
  readonly title: ComponentChildren;
  readonly body?: ComponentChildren;
  /** At the right: an index in the log, a button. */
  readonly side?: ComponentChildren;
}

/** What happened, in order. */
export function Timeline({
  moments,
  label,
}: {
  readonly moments: readonly Moment[];
  readonly label: string;
}) {
  return (
    <ol class="timeline" aria-label={label}>
      {moments.map(({ id, at, icon, tone, title, body, side }) => (
        <li key={id} class={tone ?? ''}>
          <span class="mark">
            <Icon name={icon} size={16} />
          </span>
          <div>
            <p class="when">
              <Time at={at} />
              {side && <span class="side">{side}</span>}
            </p>
            <div class="happened">{title}</div>
            {body && <div class="details">{body}</div>}
          </div>
        </li>
      ))}
    </ol>
  );
}
