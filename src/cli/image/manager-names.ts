/** The service managers that images are attached to. */

export const MANAGERS = ['systemd', 'openrc', 'runit', 's6'] as const;
export type ManagerName = (typeof MANAGERS)[number];

const TITLES: Readonly<Record<ManagerName, string>> = {
  systemd: 'systemd',
  openrc: 'OpenRC',
  runit: 'runit',
  s6: 's6',
};

/** @returns the manager's name as its authors write it */
export function titleOf(manager: ManagerName): string {
  return TITLES[manager];
}
