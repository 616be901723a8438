/** Where the system bus listens (D-Bus specification, "Server Addresses"): pure. */

/** The well-known address of the specification; /var/run is /run. */
const DEFAULT_SOCKET = '/run/dbus/system_bus_socket';

/**
 * @param address the value of $DBUS_SYSTEM_BUS_ADDRESS; where it is unset or empty, the bus is where it always is
 * @returns the path of the socket, or the reason why the address cannot be used: only sockets with a plain path are,
 *   since other kinds of address run programs or reach over a network
 */
export function systemBusSocket(address: string | undefined): { readonly path: string } | { readonly reason: string } {
  if (address === undefined || address === '') {
    return { path: DEFAULT_SOCKET };
  }
  const match = /^unix:path=(\/[A-Za-z0-9_/.-]+)(?:,guid=[0-9a-f]{32})?$/.exec(address);
  return match?.[1] === undefined
    ? { reason: `DBUS_SYSTEM_BUS_ADDRESS: "${address.slice(0, 200)}" is not of the form unix:path=/PATH` }
    : { path: match[1] };
}
