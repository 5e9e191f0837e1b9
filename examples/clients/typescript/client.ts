// A chat program on omni's webhook protocol, small enough to read: what you type goes to the hub as a customer's
// message, what the hub sends is printed. Needs nothing but Node 20.
//
//     npm ci && npx tsc
//     OMNI_KEY=<one of the channel's keys> OMNI_WEBHOOK=<the channel's webhook> node client.js [port]
//
// Give `http://<this machine>:<port>/` to the channel as its `endpoint`.

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

type Request = { type: string; text?: string };

const { OMNI_KEY: KEY, OMNI_WEBHOOK: WEBHOOK } = process.env;
if (!KEY || !WEBHOOK) throw new Error("set OMNI_KEY and OMNI_WEBHOOK");
const [TOLERANCE, MAX_BODY] = [300, 4 << 20];
const taken = new Map<string, string>(); // Delivery to message id. A real program keeps it beside its messages.
const seconds = () => Math.floor(Date.now() / 1000);

const sign = (timestamp: string, body: Buffer) =>
  "v1=" + createHmac("sha256", KEY).update(`${timestamp}.`).update(body).digest("hex");

function isGenuine(headers: IncomingHttpHeaders, body: Buffer): boolean {
  const timestamp = String(headers["x-omni-timestamp"] ?? "");
  if (!/^\d+$/.test(timestamp) || Math.abs(seconds() - Number(timestamp)) > TOLERANCE) return false;
  const expected = Buffer.from(sign(timestamp, body));
  const given = String(headers["x-omni-signature"] ?? "").split(",").map((one) => Buffer.from(one.trim()));
  return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

/** Posts an event until it is taken: the same event again has the same id, and changes nothing. */
async function tell(event: object): Promise<void> {
  const body = Buffer.from(JSON.stringify({ events: [event] }));
  for (;;) {
    const timestamp = String(seconds()); // Signed anew for each try: an old signature is refused.
    const headers = {
      "content-type": "application/json",
      "x-omni-timestamp": timestamp,
      "x-omni-signature": sign(timestamp, body),
    };
    const answer = await fetch(WEBHOOK!, { method: "POST", headers, body: new Uint8Array(body) }).catch(() => undefined);
    if (answer?.ok) return;
    // It will be no better: a wrong key, a wrong clock, or a mistake of ours.
    if (answer && answer.status < 500 && ![408, 429].includes(answer.status)) throw new Error(`${answer.status}`);
    await new Promise((later) => setTimeout(later, 1000));
  }
}

/** The status and body to answer a request with. */
function take(headers: IncomingHttpHeaders, body: Buffer): [number, object] {
  if (!isGenuine(headers, body)) return [401, { error: { kind: "bad_signature" } }];
  const request = JSON.parse(body.toString()) as Request;
  if (request.type === "ping") return [200, { name: "TypeScript console" }];
  if (request.type !== "message") return [400, { error: { kind: "unsupported", text: request.type } }];
  const delivery = String(headers["x-omni-delivery"]);
  if (!taken.has(delivery)) {
    taken.set(delivery, randomUUID());
    console.log("hub:", request.text ?? "[no text]");
  }
  return [200, { id: taken.get(delivery) }];
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = (status: number, body: object) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > MAX_BODY) return void answer(413, { error: { kind: "too_large" } });
    chunks.push(chunk as Buffer);
  }
  answer(...take(request.headers, Buffer.concat(chunks)));
}

const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
server.listen(Number(process.argv[2] ?? 0), async () => {
  console.log("listening on", (server.address() as AddressInfo).port);
  for await (const text of createInterface({ input: process.stdin })) {
    await tell({
      id: randomUUID(), type: "message", address: "console", message_id: randomUUID(),
      at: Date.now(), sender: { id: "me", name: "Console" }, text,
    });
  }
  server.close().closeAllConnections();
});
