/** Who asks, and what it may be answered. */
import assert from 'node:assert/strict';
import type { Requester } from '../../../../src/core/access.ts';
import { DynuserError } from '../../../../src/core/errors.ts';
import type { Uid } from '../../../../src/core/ids.ts';

export function requester(uid: Uid): Requester {
  return { uid, isRoot: uid === 0 };
}

/** @returns the error, if it is one that a caller may be answered */
export function isOurs(error: unknown): DynuserError {
  assert.ok(error instanceof DynuserError, error instanceof Error ? error.stack : String(error));
  return error;
}
