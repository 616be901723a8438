/** The version of this software; a contract test holds it equal to the one in package.json. */
export const VERSION = '0.1.0';

/** Put in when the programs are bundled (tooling/bundle.ts). */
declare const DYNUSER_COMMIT: string | undefined;

/** The commit that the programs were built from, with "+" if the checkout had changes; undefined if the build did not know it. */
export const COMMIT = typeof DYNUSER_COMMIT === 'undefined' ? undefined : DYNUSER_COMMIT;

/** For people: "0.1.0 (1f2e3d4c5b6a)". */
export function versionWords(): string {
  return COMMIT === undefined ? VERSION : `${VERSION} (${COMMIT})`;
}
