/** The front door of dynuserctl: argv and environment in, exit status out. No logic. */
import { run } from '../cli/main.ts';
import { processSurroundings } from '../cli/process-surroundings.ts';

process.exitCode = await run(process.argv.slice(2), processSurroundings());
