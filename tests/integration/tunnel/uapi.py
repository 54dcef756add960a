"""A client of the configuration socket that says exactly what it is told (wireguard.com/xplatform)."""
import base64
import errno
import socket

SOCKETS = "/var/run/wireguard"


def socket_path(name):
    return f"{SOCKETS}/{name}.sock"


def hex_key(base64_key):
    return base64.b64decode(base64_key).hex()


class Uapi:
    """One connection. Requests are given as text, without the empty line that ends them."""

    def __init__(self, name, timeout=20.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(socket_path(name))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def end_of_requests(self):
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self):
        """Text of one answer without its empty line; '' at the end of the connection."""
        while b"\n\n" not in self.buffer:
            data = self.socket.recv(1 << 16)
            if not data:
                rest, self.buffer = self.buffer, b""
                return rest.decode()
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\n\n", 1)
        return text.decode() + "\n"

    def ask(self, request):
        self.send(request.rstrip("\n") + "\n\n")
        return self.answer()


def ask(name, request):
    with Uapi(name) as connection:
        return connection.ask(request)


def get(name):
    """Pairs of key and value in their order, with errno at the end."""
    return [tuple(line.split("=", 1)) for line in ask(name, "get=1").splitlines()]


def put(name, request):
    """The errno of a set request, as the protocol says: 0 or negative."""
    answer = ask(name, "set=1\n" + request)
    assert answer.startswith("errno="), f"the answer to a set request is {answer!r}"
    return int(answer.strip().removeprefix("errno="))


def peers(name):
    """{public key in hex: {key: [values]}}"""
    found, current = {}, None
    for key, value in get(name):
        if key == "public_key":
            current = found.setdefault(value, {})
        elif current is not None and key != "errno":
            current.setdefault(key, []).append(value)
    return found


def failure(name):
    """A negative errno as the protocol has it, from its name."""
    return -getattr(errno, name)
