/** What the images of a launch come to. Types alone. */
import type { Image, Overlay } from '../../api/generated/io-dynuser-allocator.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';

export interface PlannedImages {
  /** what the launcher mounts, image N at /run/dynuser/images/N, and then on top of that */
  readonly images: readonly Image[];
  readonly overlays: readonly Overlay[];
  /** MountImages= */
  readonly mounts: readonly MountEntry[];
  /** RootImage=: where it will be on the host, its path, and whether its programs are of musl */
  readonly root?: string;
  readonly rootImage?: string;
  readonly rootHasMusl?: boolean;
  /** for people */
  readonly words: readonly string[];
}
