import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventTime, renderEvent, renderEventTitles } from '../../../../src/cli/render/event.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';
import { localTime } from '../../../../src/cli/render/time.ts';
import { NOW, sampleLease } from '../sample.ts';

const TIME = NOW * 1_000;

test('events are lines below their titles', () => {
  const lease = sampleLease({ unit: 'a\nb' });
  const text =
    renderEventTitles(chooseStyle(false, {})) +
    renderEvent({ event: 'allocated', lease }, TIME, undefined) +
    renderEvent({ event: 'ready' }, TIME, undefined);
  assert.equal(
    text,
    [
      'TIME                 EVENT        UID  NAME                  UNIT',
      `${localTime(TIME)}  allocated  64642  dynamic-user-test     a\\nb`,
      `${localTime(TIME)}  ready`,
      '',
    ].join('\n'),
  );
});

test('on a terminal a line is cut to its width', () => {
  const line = renderEvent({ event: 'released', lease: sampleLease() }, TIME, 50);
  assert.equal(line, `${localTime(TIME)}  released   64642  dynamic-us…\n`);
});

test('what was there happened when it was given; all else happens now', () => {
  const lease = sampleLease({ since: 42 });
  assert.equal(eventTime({ event: 'existing', lease }, NOW), 42);
  assert.equal(eventTime({ event: 'released', lease }, NOW), TIME);
  assert.equal(eventTime({ event: 'ready' }, NOW), TIME);
});
