/**
 * The native half of ffi-napi, which comes without types: the call itself, over memory that was laid out before.
 * One importer: libc.ts.
 */
declare module '@2060.io/ffi-napi/lib/bindings.js' {
  const bindings: {
    /** Calls the function with what the argument pointers lead to, and writes its return value into result. */
    ffi_call(cif: Buffer, pointer: Buffer, result: Buffer, argumentPointers: Buffer): void;
    /** The same on a thread of libuv's pool; the buffers are not kept alive by it. Says in words what the call threw. */
    ffi_call_async(
      cif: Buffer,
      pointer: Buffer,
      result: Buffer,
      argumentPointers: Buffer,
      done: (failure: string | null) => void,
    ): void;
  };
  export default bindings;
}
