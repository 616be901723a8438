/**
 * The part of etcd's interface that is used: five calls, with those fields of their messages that are sent or read, and the numbers that
 * etcd's api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto give them. The types come from this table, so that there is nothing to generate;
 * fields that are not in it are skipped. A oneof is stated as optional fields, which are the same bytes.
 */
import { create, createFileRegistry, type DescService, type Message } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';

interface Scalars {
  readonly bytes: Uint8Array;
  readonly int64: bigint;
  readonly uint64: bigint;
  readonly int32: number;
  readonly bool: boolean;
  readonly string: string;
}
type Scalar = keyof Scalars;

interface Fields {
  readonly [name: string]: readonly [number: number, type: Scalar | Declared, repeated?: 'repeated'];
}
interface Declared<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
}

type Value<T> = T extends Scalar ? Scalars[T] : T extends Declared<infer F> ? MessageOf<F> : never;
type MessageOf<F extends Fields> = Message & {
  [Name in keyof F as F[Name] extends readonly [number, Declared] ? never : Name]: F[Name][2] extends 'repeated'
    ? Value<F[Name][1]>[]
    : Value<F[Name][1]>;
} & { [Name in keyof F as F[Name] extends readonly [number, Declared] ? Name : never]?: Value<F[Name][1]> };

const PACKAGE = 'etcdserverpb';

const MESSAGES: Declared[] = [];

function declare<const F extends Fields>(name: string, fields: F): Declared<F> {
  const message = { name, fields };
  MESSAGES.push(message);
  return message;
}

const Header = declare('ResponseHeader', {
  clusterId: [1, 'uint64'],
  revision: [3, 'int64'],
});
const KeyValue = declare('KeyValue', {
  key: [1, 'bytes'],
  modRevision: [3, 'int64'],
  value: [5, 'bytes'],
});
const RangeRequest = declare('RangeRequest', {
  key: [1, 'bytes'],
  rangeEnd: [2, 'bytes'],
  limit: [3, 'int64'],
  revision: [4, 'int64'],
  serializable: [7, 'bool'],
});
const RangeResponse = declare('RangeResponse', {
  header: [1, Header],
  kvs: [2, KeyValue, 'repeated'],
  more: [3, 'bool'],
});
const PutRequest = declare('PutRequest', { key: [1, 'bytes'], value: [2, 'bytes'], lease: [3, 'int64'] });
const DeleteRequest = declare('DeleteRangeRequest', { key: [1, 'bytes'], rangeEnd: [2, 'bytes'] });
const RequestOp = declare('RequestOp', {
  range: [1, RangeRequest],
  put: [2, PutRequest],
  deleteRange: [3, DeleteRequest],
});
const ResponseOp = declare('ResponseOp', { range: [1, RangeResponse] });
/** The enumerations of Compare. */
export const CompareResult = { EQUAL: 0, LESS: 2, NOT_EQUAL: 3 } as const;
export const CompareTarget = { CREATE: 1, MOD: 2, VALUE: 3 } as const;
const Compare = declare('Compare', {
  result: [1, 'int32'],
  target: [2, 'int32'],
  key: [3, 'bytes'],
  modRevision: [6, 'int64'],
  value: [7, 'bytes'],
  rangeEnd: [64, 'bytes'],
});
const TxnRequest = declare('TxnRequest', {
  compare: [1, Compare, 'repeated'],
  success: [2, RequestOp, 'repeated'],
  failure: [3, RequestOp, 'repeated'],
});
const TxnResponse = declare('TxnResponse', {
  header: [1, Header],
  succeeded: [2, 'bool'],
  responses: [3, ResponseOp, 'repeated'],
});
const LeaseGrantRequest = declare('LeaseGrantRequest', { ttl: [1, 'int64'] });
const LeaseGrantResponse = declare('LeaseGrantResponse', { id: [2, 'int64'] });
const LeaseKeepAliveRequest = declare('LeaseKeepAliveRequest', { id: [1, 'int64'] });
const LeaseKeepAliveResponse = declare('LeaseKeepAliveResponse', { ttl: [3, 'int64'] });
/** Event.type. */
export const EventType = { PUT: 0, DELETE: 1 } as const;
const Event = declare('Event', { type: [1, 'int32'], kv: [2, KeyValue] });
const WatchCreateRequest = declare('WatchCreateRequest', {
  key: [1, 'bytes'],
  rangeEnd: [2, 'bytes'],
  startRevision: [3, 'int64'],
});
const WatchRequest = declare('WatchRequest', { create: [1, WatchCreateRequest] });
const WatchResponse = declare('WatchResponse', {
  header: [1, Header],
  canceled: [4, 'bool'],
  compactRevision: [5, 'int64'],
  cancelReason: [6, 'string'],
  events: [11, Event, 'repeated'],
});

const METHODS = {
  KV: { Range: [RangeRequest, RangeResponse, 'unary'], Txn: [TxnRequest, TxnResponse, 'unary'] },
  Lease: {
    LeaseGrant: [LeaseGrantRequest, LeaseGrantResponse, 'unary'],
    LeaseKeepAlive: [LeaseKeepAliveRequest, LeaseKeepAliveResponse, 'stream'],
  },
  Watch: { Watch: [WatchRequest, WatchResponse, 'stream'] },
} as const;

const REGISTRY = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    ...{ name: 'etcd.proto', package: PACKAGE, syntax: 'proto3' },
    messageType: MESSAGES.map(({ name, fields }) => ({
      name,
      field: Object.entries(fields).map(([field, [number, type, repeated]]) => ({
        ...{ name: field, number },
        label: repeated === undefined ? FieldDescriptorProto_Label.OPTIONAL : FieldDescriptorProto_Label.REPEATED,
        ...(typeof type === 'string'
          ? { type: FieldDescriptorProto_Type[type.toUpperCase() as Uppercase<Scalar>] }
          : { type: FieldDescriptorProto_Type.MESSAGE, typeName: `.${PACKAGE}.${type.name}` }),
      })),
    })),
    service: Object.entries(METHODS).map(([name, methods]) => ({
      name,
      method: Object.entries(methods).map(([method, [input, output, kind]]) => ({
        ...{ name: method, inputType: `.${PACKAGE}.${input.name}`, outputType: `.${PACKAGE}.${output.name}` },
        ...{ clientStreaming: kind === 'stream', serverStreaming: kind === 'stream' },
      })),
    })),
  }),
  () => undefined,
);

type MethodTable = typeof METHODS;
type Method<Input extends Declared, Output extends Declared, Kind> = Omit<
  DescService['methods'][number],
  'methodKind' | 'input' | 'output'
> & {
  readonly methodKind: Kind extends 'unary' ? 'unary' : 'bidi_streaming';
  readonly input: GenMessage<MessageOf<Input['fields']>>;
  readonly output: GenMessage<MessageOf<Output['fields']>>;
};

/** @returns the method, as a transport takes it */
function methodOf<S extends keyof MethodTable, M extends keyof MethodTable[S] & string>(service: S, name: M) {
  const found = REGISTRY.getService(`${PACKAGE}.${service}`)?.methods.find(method => method.name === name);
  if (found === undefined) {
    throw new TypeError(`${service} has no method ${name}`);
  }
  type Row = MethodTable[S][M];
  // The descriptor was made from the row that the types are read from.
  return found as unknown as Row extends readonly [
    infer Input extends Declared,
    infer Output extends Declared,
    infer Kind,
  ]
    ? Method<Input, Output, Kind>
    : never;
}

export const RANGE = methodOf('KV', 'Range');
export const TXN = methodOf('KV', 'Txn');
export const LEASE_GRANT = methodOf('Lease', 'LeaseGrant');
export const LEASE_KEEP_ALIVE = methodOf('Lease', 'LeaseKeepAlive');
export const WATCH = methodOf('Watch', 'Watch');

export type HeaderMessage = Value<typeof Header>;
export type WatchMessage = Value<typeof WatchResponse>;
