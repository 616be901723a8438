/** What Acquire sends, checked before it gets a type: how far it is, as often as it likes, and one answer in the end. */
import type { AcquireReply, Directory, Progress } from '../api/generated/io-dynuser-allocator.ts';
import { DIRECTORY_KINDS, HANDOVER_KINDS } from '../core/directory.ts';
import type { JsonObject } from '../varlink/json.ts';
import { absent, choice, integer, leaseId, object, objects, text, textMap, texts, truth } from './fields.ts';

/** The answer: all fields but that of progress, as the interface says of the last reply. */
export type Acquired = Required<Omit<AcquireReply, 'progress'>>;

/** @returns which of the two it is. @throws CommandFailure where it is neither */
export function checkAcquireReply(
  reply: JsonObject,
): { readonly progress: Progress } | { readonly acquired: Acquired } {
  return absent(reply, 'progress')
    ? { acquired: checkAcquired(reply) }
    : { progress: checkProgress(object(reply, 'progress')) };
}

function checkProgress(progress: JsonObject): Progress {
  return {
    publicPath: text(progress, 'publicPath'),
    inodes: integer(progress, 'inodes'),
    changed: integer(progress, 'changed'),
  };
}

function checkAcquired(reply: JsonObject): Acquired {
  return {
    uid: integer(reply, 'uid'),
    gid: integer(reply, 'gid'),
    userName: text(reply, 'userName'),
    unit: text(reply, 'unit'),
    dynamic: truth(reply, 'dynamic'),
    lease: leaseId(reply),
    directories: objects(reply, 'directories').map(checkDirectory),
    environment: textMap(reply, 'environment'),
  };
}

function checkDirectory(directory: JsonObject): Directory {
  return {
    kind: choice(directory, 'kind', DIRECTORY_KINDS),
    publicPath: text(directory, 'publicPath'),
    realPath: text(directory, 'realPath'),
    readOnly: truth(directory, 'readOnly'),
    handover: choice(directory, 'handover', HANDOVER_KINDS),
    ...(absent(directory, 'within') ? {} : { within: text(directory, 'within') }),
    diskUid: integer(directory, 'diskUid'),
    diskGid: integer(directory, 'diskGid'),
    changed: integer(directory, 'changed'),
    leftPaths: texts(directory, 'leftPaths'),
    mountPaths: texts(directory, 'mountPaths'),
  };
}
