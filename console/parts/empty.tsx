import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

/** Where nothing is to be shown: what would be here, and what to do first. */
export function Empty({
  title,
  icon,
  children,
  action,
}: {
  readonly title: string;
  readonly icon: IconName;
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}) {
  return (
    <div class="empty-state">
      <Icon name={icon} size={30} />
      <p class="empty-title">{title}</p>
      {children && <p class="muted">{children}</p>}
      {action && <div class="actions">{action}</div>}
    </div>
  );
}
