/** org.varlink.service, the interface that every varlink service has: what is served, and the text of each interface. */
import { interfaceNotFound } from './errors.ts';
import type { InterfaceImplementation } from './handler.ts';

/** What GetInfo says. */
export interface ServiceInfo {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
  readonly url: string;
}

export const SERVICE_DESCRIPTION = `# The interface that every varlink service has.
interface org.varlink.service

# Describes this service.
method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)

# The description of one of the interfaces, in the varlink interface definition language.
method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound(interface: string)
error MethodNotFound(method: string)
error MethodNotImplemented(method: string)
error InvalidParameter(parameter: string)
error PermissionDenied()
error ExpectedMore()
`;

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
