/** What io.dynuser.Allocator1 has: its methods and signals with their types, its errors, and its introspection. Pure. */
import { DynuserError, type ErrorCode, wireCodeOf } from '../core/errors.ts';
import { DRIVER } from './message.ts';

export const ALLOCATOR = 'io.dynuser.Allocator1';
export const ALLOCATOR_PATH = '/io/dynuser/Allocator1';
export const INTROSPECTABLE = 'org.freedesktop.DBus.Introspectable';
export const PEER = 'org.freedesktop.DBus.Peer';

/** Name and type of each argument, in order. */
type Arguments = readonly (readonly [name: string, type: string])[];

interface Method {
  readonly in: Arguments;
  readonly out: Arguments;
}

const USER: Arguments = [
  ['uid', 'u'],
  ['name', 's'],
];

/** The lookups have the signatures of systemd's manager (org.freedesktop.systemd1(5)). */
export const METHODS = {
  Acquire: {
    in: [
      ['unit', 's'],
      ['options', 'a{sv}'],
    ],
    out: [
      ['uid', 'u'],
      ['gid', 'u'],
      ['userName', 's'],
      ['dynamic', 'b'],
      ['lease', 's'],
    ],
  },
  Release: { in: [['lease', 's']], out: [] },
  LookupDynamicUserByName: { in: [['name', 's']], out: [['uid', 'u']] },
  LookupDynamicUserByUID: { in: [['uid', 'u']], out: [['name', 's']] },
  GetDynamicUsers: { in: [], out: [['users', 'a(us)']] },
} as const satisfies Readonly<Record<string, Method>>;

export type MethodName = keyof typeof METHODS;

export const SIGNALS = { allocated: 'UserAllocated', released: 'UserReleased' } as const;

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}

/** @returns the types of the arguments as one signature */
export function signatureOf(args: Arguments): string {
  return args.map(([, type]) => type).join('');
}

/** The errors of the specification that are used here. */
type StandardError = 'InvalidArgs' | 'UnknownObject' | 'UnknownInterface' | 'UnknownMethod';

/** A call that is refused here, before it gets to the port. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly errorName: string;

  constructor(errorName: string, reason: string) {
    super(reason);
    this.errorName = errorName;
  }
}

export function refuse(error: StandardError, reason: string): CallRefused {
  return new CallRefused(`${DRIVER}.Error.${error}`, reason);
}

/** @param error one of the interface's own, by the last part of its name */
export function refuseOwn(error: 'NoSuchDynamicUser' | ErrorCode, reason: string): CallRefused {
  const name = error === 'NoSuchDynamicUser' ? error : wireCodeOf(error);
  return new CallRefused(`${ALLOCATOR}.${name}`, reason);
}

export function tooManyCalls(): CallRefused {
  return refuseOwn('LimitReached', 'too many calls are under way: wait for the answer to one of them');
}

/** @returns how the caller is told of an error; undefined for one that is a fault of the daemon */
export function toRefusal(error: unknown): CallRefused | undefined {
  if (error instanceof CallRefused) {
    return error;
  }
  return error instanceof DynuserError ? refuseOwn(error.code, error.message) : undefined;
}

const DOCTYPE = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`;

/** @returns what is at an object path, in the introspection format, or undefined if there is nothing */
export function introspect(path: string): string | undefined {
  if (path === ALLOCATOR_PATH) {
    const methods = Object.entries(METHODS).map(([name, method]) => describeMethod(name, method));
    const signals = Object.values(SIGNALS).map(name => `  <signal name="${name}">\n${describe(USER)}  </signal>\n`);
    return node(
      ` <interface name="${ALLOCATOR}">\n${[...methods, ...signals].join('')} </interface>\n` +
        ` <interface name="${INTROSPECTABLE}">\n${describeMethod('Introspect', { in: [], out: [['data', 's']] })} </interface>\n` +
        ` <interface name="${PEER}">\n${describeMethod('Ping', { in: [], out: [] })} </interface>\n`,
    );
  }
  const prefix = path === '/' ? '/' : `${path}/`;
  if (!ALLOCATOR_PATH.startsWith(prefix)) {
    return undefined;
  }
  return node(` <node name="${ALLOCATOR_PATH.slice(prefix.length).split('/')[0]}"/>\n`);
}

function node(content: string): string {
  return `${DOCTYPE}<node>\n${content}</node>\n`;
}

function describeMethod(name: string, method: Method): string {
  return `  <method name="${name}">\n${describe(method.in, 'in')}${describe(method.out, 'out')}  </method>\n`;
}

function describe(args: Arguments, direction?: 'in' | 'out'): string {
  const attribute = direction === undefined ? '' : ` direction="${direction}"`;
  return args.map(([name, type]) => `   <arg name="${name}" type="${type}"${attribute}/>\n`).join('');
}
