/** What the work on directories needs. */
import type { OwnerHints, PathInspector } from '../allocator/directory-ports.ts';
import type { BaseDirectories } from '../core/directory-classes.ts';
import type { SharedStorage } from '../core/fleet.ts';
import type { Activity } from './observe/activity.ts';
import type { MapSupport } from './observe/map-support.ts';
import type { TreeHelper } from './tree-helper.ts';

export interface DirectoryDeps {
  readonly bases: BaseDirectories;
  readonly helper: TreeHelper;
  readonly mapSupport: MapSupport;
  readonly hints: OwnerHints;
  readonly inspector: PathInspector;
  readonly activity: Activity;
  /** where the hosts of a fleet share files, whose owners are numbers that all of them know */
  readonly sharedStorages: () => readonly SharedStorage[];
}
