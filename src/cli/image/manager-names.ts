/** The service managers that images are attached to, with the names that their authors write. */
export const MANAGER_TITLES = {
  systemd: 'systemd',
  openrc: 'OpenRC',
  runit: 'runit',
  s6: 's6',
} as const;

export type ManagerName = keyof typeof MANAGER_TITLES;
export const MANAGERS = Object.keys(MANAGER_TITLES) as readonly ManagerName[];
