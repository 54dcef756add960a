"""Short, bounded transfers between two namespaces whose content is checked."""
import hashlib
import os
import random
import socket
import struct
import threading
import time


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _send_all(source, address, port, size, seed, errors):
    try:
        with source.socket(family_of(address), socket.SOCK_STREAM) as sender:
            sender.settimeout(20)
            sender.connect((address, port))
            data = random.Random(seed).randbytes(min(size, 1 << 18))
            digest, left = hashlib.blake2b(), size
            while left:
                part = data[:left]
                digest.update(part)
                sender.sendall(part)
                left -= len(part)
            sender.shutdown(socket.SHUT_WR)
            if sender.recv(64) != digest.digest():
                errors.append("the receiver got other bytes")
    except OSError as error:
        errors.append(f"sender: {error}")


def _receive_all(connection, counts):
    digest, count = hashlib.blake2b(), 0
    with connection:
        connection.settimeout(20)
        while data := connection.recv(1 << 18):
            digest.update(data)
            count += len(data)
        connection.sendall(digest.digest())
    counts.append(count)


def tcp(source, target, address, size=4 << 20, streams=1):
    """`size` bytes by each of so many streams at once; Mbit/s of all together."""
    errors, counts, threads = [], [], []
    with target.socket(family_of(address), socket.SOCK_STREAM) as server:
        server.settimeout(20)
        server.bind((address, 0))
        server.listen(streams)
        port = server.getsockname()[1]
        begin = time.monotonic()
        for seed in range(streams):
            threads.append(threading.Thread(
                target=_send_all, args=(source, address, port, size, seed, errors), daemon=True))
            threads[-1].start()
        try:
            for _ in range(streams):
                connection, _ = server.accept()
                threads.append(threading.Thread(
                    target=_receive_all, args=(connection, counts), daemon=True))
                threads[-1].start()
        except OSError as error:
            errors.append(f"only {len(threads) - streams} of {streams} connected: {error}")
        for thread in threads:
            thread.join(60)
    assert not errors, f"tcp to {address}: {errors[0]} ({len(errors)} errors)"
    assert sorted(counts) == [size] * streams, f"tcp to {address}: received {counts}"
    return 8e-6 * size * streams / (time.monotonic() - begin)


class UdpCheck:
    """What arrived of numbered datagrams."""

    def __init__(self):
        self.seen, self.twice, self.wrong, self.late, self.last = set(), 0, 0, 0, -1

    def add(self, data, size):
        number = struct.unpack_from("!Q", data)[0]
        if len(data) != size or data[8:] != udp_payload(number, size)[8:]:
            self.wrong += 1
            return
        self.twice += number in self.seen
        self.late += number < self.last
        self.last = max(self.last, number)
        self.seen.add(number)


FILL = os.urandom(1 << 17)


def udp_payload(number, size):
    begin = number % (1 << 16)
    return struct.pack("!Q", number) + FILL[begin:begin + size - 8]


def udp(source, target, address, count=400, size=1200, window=16, may_lose=False):
    """Numbered datagrams; `window` are sent before the receiver is waited for (0: never)."""
    check = UdpCheck()
    with target.socket(family_of(address)) as receiver, source.socket(family_of(address)) as sender:
        receiver.bind((address, 0))
        receiver.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
        done = threading.Event()

        def receive():
            """Until all are there, or nothing came for a while after the last was sent."""
            while True:
                whole = len(check.seen) >= count
                receiver.settimeout(0.01 if whole else 0.3)  # a moment more for duplicates
                try:
                    check.add(receiver.recv(1 << 16), size)
                except TimeoutError:
                    if whole or done.is_set():
                        return

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        sender.connect(receiver.getsockname()[:2])
        begin = time.monotonic()
        for number in range(count):
            try:
                sender.send(udp_payload(number, size))
            except OSError:
                pass  # a full queue is what floods are for
            if window and number % window == window - 1:
                end = time.monotonic() + 0.2
                while number not in check.seen and time.monotonic() < end:
                    time.sleep(0)
        seconds = time.monotonic() - begin
        done.set()
        thread.join(10)
    assert not check.wrong, f"udp to {address}: {check.wrong} datagrams changed"
    assert not check.twice, f"udp to {address}: {check.twice} datagrams came twice"
    lost = count - len(check.seen)
    assert check.seen if may_lose else not lost, f"udp to {address}: {lost} of {count} lost"
    check.seconds = seconds
    return check


def works(left, right, addresses, sizes=(1200,)):
    """The usual round: pings, TCP and UDP in both directions, for each (left's, right's) address."""
    for mine, theirs in addresses:
        left.ping(theirs, 10)
        right.ping(mine, 10)
        tcp(left, right, theirs, 1 << 20)
        tcp(right, left, mine, 1 << 20)
        for size in sizes:
            udp(left, right, theirs, 100, size)
            udp(right, left, mine, 100, size)
