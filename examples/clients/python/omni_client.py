"""A chat program on omni's webhook protocol, small enough to read: what you type goes to the hub as a customer's
message, what the hub sends is printed. Needs nothing but Python 3.11.

    OMNI_KEY=<one of the channel's keys> OMNI_WEBHOOK=<the channel's webhook> python3 omni_client.py [port]

Give `http://<this machine>:<port>/` to the channel as its `endpoint`.
"""

import hashlib, hmac, json, os, sys, threading, time, urllib.error, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY, WEBHOOK = os.environ["OMNI_KEY"].encode(), os.environ["OMNI_WEBHOOK"]
TOLERANCE, MAX_BODY = 300, 4 << 20
taken, lock = {}, threading.Lock()  # Delivery to message id. A real program keeps it beside its messages.


def sign(timestamp, body):
    return "v1=" + hmac.new(KEY, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_genuine(headers, body):
    timestamp = headers.get("X-Omni-Timestamp", "")
    if not (timestamp.isdecimal() and timestamp.isascii() and abs(time.time() - int(timestamp)) <= TOLERANCE):
        return False
    expected = sign(timestamp, body).encode()
    given = headers.get("X-Omni-Signature", "").split(",")
    return any(hmac.compare_digest(one.strip().encode(), expected) for one in given)


def tell(event):
    """Posts an event until it is taken: the same event again has the same id, and changes nothing."""
    body = json.dumps({"events": [event]}, ensure_ascii=False).encode()
    while True:
        timestamp = str(int(time.time()))  # Signed anew for each try: an old signature is refused.
        headers = {"Content-Type": "application/json", "X-Omni-Timestamp": timestamp,
                   "X-Omni-Signature": sign(timestamp, body)}
        try:
            return urllib.request.urlopen(urllib.request.Request(WEBHOOK, body, headers), timeout=30).close()
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise  # It will be no better: a wrong key, a wrong clock, or a mistake of ours.
        except OSError:
            pass
        time.sleep(1)


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            return self.answer(413, {"error": {"kind": "too_large"}})
        body = self.rfile.read(length)
        if not is_genuine(self.headers, body):
            return self.answer(401, {"error": {"kind": "bad_signature"}})
        request = json.loads(body)
        if request["type"] == "ping":
            return self.answer(200, {"name": "Python console"})
        if request["type"] != "message":
            return self.answer(400, {"error": {"kind": "unsupported", "text": request["type"]}})
        with lock:  # One delivery is one message, also when it comes twice at once.
            delivery = self.headers["X-Omni-Delivery"]
            if delivery not in taken:
                taken[delivery] = str(uuid.uuid4())
                print("hub:", request.get("text", "[no text]"), flush=True)
        self.answer(200, {"id": taken[delivery]})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening on", server.server_port, flush=True)
    for line in sys.stdin.buffer:
        tell({"id": str(uuid.uuid4()), "type": "message", "address": "console", "message_id": str(uuid.uuid4()),
              "at": int(time.time() * 1000), "sender": {"id": "me", "name": "Console"},
              "text": line.decode().rstrip("\n")})
