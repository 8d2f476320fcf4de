// The package's `main` is CommonJS behind `type: module`, so Node sees no exports under the bare name.
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export * from "wgsl_reflect";
}
