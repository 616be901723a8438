/** A program that looks users up, built with each C library and each way of linking (test/native/support/look_up.c). */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';

/** What links a program to a C library. */
const COMPILERS = {
  glibc: ['cc'],
  'static glibc': ['cc', '-static'],
  musl: ['musl-gcc'],
  'static musl': ['musl-gcc', '-static'],
} as const;
export type Library = keyof typeof COMPILERS;
export const LIBRARIES = Object.keys(COMPILERS) as Library[];

const SOURCE = `${CHECKOUT}test/native/support/look_up.c`;

export function buildLookUp(library: Library, path: string): void {
  const [compiler, ...flags] = COMPILERS[library];
  const warnings = ['-Wall', '-Wno-nonnull'];
  execFileSync(compiler, [...flags, '-D_GNU_SOURCE', '-O1', ...warnings, '-o', path, SOURCE], { stdio: 'pipe' });
}

/** Go's compiler, if there is one; Debian's package is golang-go. */
export const GO = ['/usr/bin/go', '/usr/local/go/bin/go'].find(path => existsSync(path));
