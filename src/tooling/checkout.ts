/** The paths of the checkout that this compiled file (dist/src/tooling) belongs to. */
import { fileURLToPath } from 'node:url';

/** The root of the checkout, with a slash at its end. */
export const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));

/** What runs: the bundles, their native modules, the helper and the NSS module. Staged as usr/lib/dynuser. */
export const BUILT = `${CHECKOUT}dist/lib`;

/** The installer of the tarball with Node inside, in one file. */
export const INSTALLER = `${CHECKOUT}dist/standalone/install.js`;
