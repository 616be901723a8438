/** What a fuzz target in TypeScript is, and which there are. Those in C are named in native.ts. */
import { dbus } from './targets/dbus.ts';
import { fleetAnswers } from './targets/fleet-answers.ts';
import { fleetRecords } from './targets/fleet-records.ts';
import { fleetdConfig } from './targets/fleetd-config.ts';
import { idl } from './targets/idl.ts';
import { images } from './targets/images.ts';
import { json } from './targets/json.ts';
import { nscd } from './targets/nscd.ts';
import type { Target } from './targets/types.ts';
import { unitFiles } from './targets/unit-files.ts';
import { values } from './targets/values.ts';
import { varlinkFrames } from './targets/varlink-frames.ts';

export const TARGETS: readonly Target[] = [
  ...[varlinkFrames, json, idl, dbus, images, nscd, unitFiles, values],
  ...[fleetdConfig, fleetRecords, fleetAnswers],
];
