/**
 * Some of the unit files whose worlds are compared, of each kind: what differs in what a program sees is what dynuser-run(1) says.
 * test/stress/launch-worlds.test.ts compares all of them, and looks for what the page tells of and is not so.
 */
// starts early: each unit runs twice
import { describe } from 'node:test';
import { compareAll } from './compared.ts';
import { SOME_UNITS } from './units.ts';

describe('the same unit file, run by systemd and by dynuser-run', () => compareAll(SOME_UNITS));
