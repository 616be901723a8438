/** org.varlink.service, the interface that every varlink service has: what is served, and the text of each interface. */
import { interfaceNotFound } from './errors.ts';
import type { InterfaceImplementation } from './handler.ts';
import { SERVICE_DESCRIPTION } from './service-description.ts';

/** What GetInfo says. */
export interface ServiceInfo {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
  readonly url: string;
}

/** @param descriptions the text of every interface that is served, this one included, by its name */
export function serviceInterface<P>(
  info: ServiceInfo,
  descriptions: ReadonlyMap<string, string>,
): InterfaceImplementation<P> {
  return {
    description: SERVICE_DESCRIPTION,
    methods: {
      GetInfo: () => ({
        vendor: info.vendor,
        product: info.product,
        version: info.version,
        url: info.url,
        interfaces: [...descriptions.keys()].sort(),
      }),
      GetInterfaceDescription: ({ parameters }) => {
        const name = String(parameters['interface']);
        const description = descriptions.get(name);
        if (description === undefined) {
          throw interfaceNotFound(name);
        }
        return { description };
      },
    },
  };
}
