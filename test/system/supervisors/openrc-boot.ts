/**
 * What a boot with OpenRC leaves behind: it runs no service where it did not boot.
 */
export const BOOTED = `
set -e
for state in daemons exclusive failed hotplugged inactive options scheduled started starting stopped stopping tmp wasinactive; do
	mkdir -p "/run/openrc/$state"
done
touch /run/openrc/softlevel`;
