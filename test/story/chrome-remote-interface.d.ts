/** The little of the package that `browser.ts` uses: it brings no types. */
declare module "chrome-remote-interface" {
  type Parameters = Record<string, unknown>;

  interface Client {
    /** A command of the DevTools protocol, "Domain.method"; with a session, to that tab. */
    send(method: string, parameters?: Parameters, session?: string): Promise<Record<string, unknown>>;
    on(event: "event", listener: (message: { method: string; params: Parameters; sessionId?: string }) => void): void;
    setMaxListeners(count: number): void;
    close(): Promise<void>;
  }

  export default function connect(options: { port: number; target: string; local: true }): Promise<Client>;
}
