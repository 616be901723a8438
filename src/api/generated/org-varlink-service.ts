/** Generated from org.varlink.service.varlink by "npm run generate": change that file, not this one. */

export const SERVICE_INTERFACE = `# The interface that every varlink service has.
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

/** Describes this service. */
export type GetInfoParameters = { readonly [key: string]: never };

export type GetInfoReply = {
  readonly vendor: string;
  readonly product: string;
  readonly version: string;
  readonly url: string;
  readonly interfaces: readonly string[];
};

/** The description of one of the interfaces, in the varlink interface definition language. */
export type GetInterfaceDescriptionParameters = {
  readonly interface: string;
};

export type GetInterfaceDescriptionReply = {
  readonly description: string;
};

export type InterfaceNotFoundParameters = {
  readonly interface: string;
};

export type MethodNotFoundParameters = {
  readonly method: string;
};

export type MethodNotImplementedParameters = {
  readonly method: string;
};

export type InvalidParameterParameters = {
  readonly parameter: string;
};

export type PermissionDeniedParameters = { readonly [key: string]: never };

export type ExpectedMoreParameters = { readonly [key: string]: never };
