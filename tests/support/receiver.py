"""A receiver of webhooks on loopback that does what it is told: takes, refuses, throttles, hangs, breaks off.

Each request meets the next answer of a list (the last one for ever):
  ("answer", status, {header: value}, body)   an ordinary answer
  ("hang",)      reads the request and says nothing until the receiver ends
  ("reset",)     reads the request and resets the connection
  ("half",)      promises 100 bytes and sends 10
What arrived is in `requests`, as Request.
"""
import http.server
import json
import socket
import ssl
import struct
import subprocess
import threading
import time
from dataclasses import dataclass, field

OK = ("answer", 200, {}, "ok")


@dataclass
class Request:
    path: str
    headers: dict
    body: bytes
    answer: tuple
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self):
        return json.loads(self.body)


class Receiver:
    """`with Receiver([...]) as receiver: receiver.url`"""

    def __init__(self, answers=(OK,), certificate=None, choose=None):
        self.answers, self.requests, self.lock = list(answers), [], threading.Lock()
        self.end, self.choose = threading.Event(), choose
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver.lock:
                    answer = receiver.next_answer()
                    receiver.requests.append(Request(self.path, headers, body, answer))
                receiver.do(answer, self)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 128

            def handle_error(self, *_):
                pass  # clients that go away are what these tests are about

        self.server = Server(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/hook/very-secret-path"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def next_answer(self):
        if self.choose:
            return self.choose(len(self.requests))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def do(self, answer, handler):
        if answer[0] == "hang":
            self.end.wait()
            handler.close_connection = True
        elif answer[0] == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
        elif answer[0] == "half":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789")
            handler.close_connection = True
        else:
            _, status, headers, text = answer
            data = text.encode()
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            if status != 204:
                handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            if status != 204:
                handler.wfile.write(data)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.server.shutdown()
        self.server.server_close()

    def taken(self):
        return [one for one in self.requests if one.answer[0] == "answer" and one.answer[1] < 300]


def certificate(folder, name="127.0.0.1"):
    """(certificate, key) of a self-signed one for an address."""
    cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{name}", "-keyout", key,
                    "-out", cert], check=True, capture_output=True)
    return cert, key
