/** The reference draws with the host's generator, whose known answers are published. */
export * from "../model/philox.ts";
