/** Generated from org.varlink.service.varlink by "npm run generate": change that file, not this one. The interface of every service. */

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
error ExpectedUpgrade()
`;
