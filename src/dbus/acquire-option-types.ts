/** Generated from io.dynuser.Allocator.varlink by "npm run generate": change that file, not this one. The options of Acquire. */

export const ACQUIRE_OPTIONS = {
  userName: 's',
  perInstance: 'b',
  lifetime: 's',
  pid: 'u',
  description: 's',
  stateDirectory: 'as',
  cacheDirectory: 'as',
  logsDirectory: 'as',
  runtimeDirectory: 'as',
  stateDirectoryMode: 'u',
  cacheDirectoryMode: 'u',
  logsDirectoryMode: 'u',
  runtimeDirectoryMode: 'u',
  runtimeDirectoryPreserve: 'b',
  exposeDirectories: 'b',
  makesMounts: 'b',
  verify: 'b',
  killProcesses: 'b',
  removeIPC: 'b',
} as const;
