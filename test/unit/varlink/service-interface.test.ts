import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { SERVICE_DESCRIPTION } from '../../../src/varlink/service-interface.ts';

test("the library's own text of org.varlink.service is the one of the project", () => {
  const file = `${CHECKOUT}src/api/interfaces/org.varlink.service.varlink`;
  assert.equal(SERVICE_DESCRIPTION, readFileSync(file, 'utf8'));
});
