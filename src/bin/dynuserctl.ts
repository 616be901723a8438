/** The entry point of dynuserctl: argv and environment in, exit status out. No logic. */
import { run } from '../cli/main.ts';
import { thisProcess } from '../cli/process-io.ts';

process.exitCode = await run(process.argv.slice(2), thisProcess());
