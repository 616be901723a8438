/** One reload of the configuration: what the service manager and the log are told of it. */
import type { Notify } from '../host/systemd/notify.ts';
import type { LiveConfig } from './live-config.ts';
import type { Logger } from './logger.ts';

/**
 * Never throws: a file that is wrong changes nothing, and the log says so. The manager that asked waits for the end of the
 * reload, however it ends (sd_notify(3), RELOADING=1).
 */
export function reloadConfig(live: LiveConfig, logger: Logger, notify: Notify): void {
  try {
    notify({ state: 'reloading' });
    try {
      const { applied, deferred } = live.reload();
      logger.info({ applied }, 'configuration reloaded');
      if (deferred.length > 0) {
        logger.warn(`${deferred.map(key => `${key}=`).join(', ')} changes at the next start; restart dynuserd for it`);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error(`the configuration stays as it was: ${reason}`);
    }
    notify({ state: 'reloaded' });
  } catch (error) {
    logger.error({ err: error }, 'cannot tell the service manager of a reload');
  }
}
