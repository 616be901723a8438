/**
 * The native half of ffi-napi, which comes without types: the call itself, over memory that was laid out before.
 * One importer: libc.ts.
 */
declare module '@2060.io/ffi-napi/lib/bindings.js' {
  const bindings: {
    /** Calls the function with what the argument pointers lead to, and writes its return value into result. */
    ffi_call(cif: Buffer, pointer: Buffer, result: Buffer, argumentPointers: Buffer): void;
  };
  export default bindings;
}
