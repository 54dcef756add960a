"""WireGuard messages as bytes, as far as no key is needed, and ways to send very many of them."""
import ctypes
import hashlib
import os
import socket
import struct
import sys
import time

INITIATION, RESPONSE, COOKIE, DATA = 1, 2, 3, 4
SIZES = {INITIATION: 148, RESPONSE: 92, COOKIE: 64, DATA: 128}


def mac1(responder, covered):
    """Keyed BLAKE2s over a message up to its mac1 (whitepaper, section 5.4.4)."""
    key = hashlib.blake2s(b"mac1----" + responder).digest()
    return hashlib.blake2s(covered, key=key, digest_size=16).digest()


def initiation(responder=None):
    """Random, but of the right form; with the responder's public key the mac1 is valid."""
    covered = struct.pack("<I", INITIATION) + os.urandom(112)
    return covered + (mac1(responder, covered) if responder else os.urandom(16)) + bytes(16)


def message(kind, size=None, receiver=None):
    """A message of this type, else random; 4 bytes of the receiver's index behind the type."""
    size = size or SIZES[kind]
    body = os.urandom(size - 4) if receiver is None else receiver + os.urandom(size - 8)
    return struct.pack("<I", kind) + body


def response(responder):
    covered = struct.pack("<I", RESPONSE) + os.urandom(56)
    return covered + mac1(responder, covered) + bytes(16)


def with_headers(payload, source, target, port, source_port):
    """The datagram with IPv4 and UDP headers; the kernel fills the IPv4 checksum, UDP has none."""
    udp = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(target))
    return ip + udp + payload


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class MsgHdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("iov", ctypes.c_void_p),
                ("iov_length", ctypes.c_size_t), ("control", ctypes.c_void_p),
                ("control_length", ctypes.c_size_t), ("flags", ctypes.c_int), ("length", ctypes.c_uint32),
                ("padding", ctypes.c_uint32)]


class Pool:
    """Prepared datagrams that sendmmsg(2) sends a few hundred at a time, without a copy in Python."""

    def __init__(self, datagrams, target):
        self.count = len(datagrams)
        self.buffer = ctypes.create_string_buffer(b"".join(datagrams))
        self.address = ctypes.create_string_buffer(
            struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(target)))
        self.vectors, self.headers = (IoVec * self.count)(), (MsgHdr * self.count)()
        offset, base = 0, ctypes.addressof(self.buffer)
        for number, datagram in enumerate(datagrams):
            self.vectors[number] = IoVec(base + offset, len(datagram))
            self.headers[number] = MsgHdr(ctypes.addressof(self.address), 16,
                                          ctypes.addressof(self.vectors[number]), 1)
            offset += len(datagram)
        self.libc = ctypes.CDLL(None, use_errno=True)

    def send(self, raw, rate, seconds, batch=200):
        """At most `rate` a second, round and round; how many went out."""
        size, sent, at = ctypes.sizeof(MsgHdr), 0, 0
        first, begin = ctypes.addressof(self.headers), time.monotonic()
        while (now := time.monotonic() - begin) < seconds:
            due = int(rate * now) - sent
            if due < batch // 4:
                time.sleep(0.0005)
                continue
            count = min(batch, due, self.count - at)
            done = self.libc.sendmmsg(raw.fileno(), ctypes.c_void_p(first + at * size), count, 0)
            sent, at = sent + max(done, 0), (at + max(done, 1)) % self.count
            if due > rate // 10:  # the machine cannot: no burst afterwards
                begin += (due - batch) / rate
                seconds -= 0 if seconds <= 0 else (due - batch) / rate
        return sent


def flood(arguments):
    """As a process of its own: packets.py KINDS TARGET PORT SOURCES RATE SECONDS [PUBLIC KEY IN HEX].

    KINDS: letters of i (initiation with valid mac1), I (without), r (response), R (with valid mac1),
    c (cookie), d (data), t (cut off), x (noise). SOURCES: how many addresses of 10.66.0.0/16.
    """
    kinds, target, port, sources, rate, seconds = arguments[:6]
    key = bytes.fromhex(arguments[6]) if len(arguments) > 6 else None
    makers = {"i": lambda: initiation(key), "I": initiation, "r": lambda: message(RESPONSE),
              "R": lambda: response(key), "c": lambda: message(COOKIE), "d": lambda: message(DATA),
              "t": lambda: initiation(key)[:int.from_bytes(os.urandom(1), "big") % 148],
              "x": lambda: os.urandom(1 + int.from_bytes(os.urandom(2), "big") % 1400)}
    datagrams = []
    for number in range(20000):
        host = number % int(sources)
        datagrams.append(with_headers(makers[kinds[number % len(kinds)]](), f"10.66.{host >> 8}.{host & 255}",
                                      target, int(port), 1024 + number % 60000))
    pool = Pool(datagrams, target)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        print("ready", flush=True)
        print(pool.send(raw, int(rate), float(seconds)), flush=True)


if __name__ == "__main__":
    flood(sys.argv[1:])
