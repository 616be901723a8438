/** The version of this software; a contract test holds it equal to the one in package.json. */
export const VERSION = '0.1.0';
