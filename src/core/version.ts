/** The version of the product; a unit test holds it to package.json. */
export const VERSION = '0.1.0';
