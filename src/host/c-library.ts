/** Which C library this host's programs have, told by that of Node itself. */
import process from 'node:process';

/** @returns the library; takes some milliseconds */
export function hostsCLibrary(): 'glibc' | 'musl' {
  const report: unknown = process.report.getReport();
  const header: unknown = typeof report === 'object' && report !== null ? Reflect.get(report, 'header') : undefined;
  const isGlibc = typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header;
  return isGlibc ? 'glibc' : 'musl';
}
