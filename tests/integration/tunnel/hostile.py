"""An attacker beside a tunnel: a namespace of its own with a /16 of addresses, and a man in the middle."""
import os
import select
import sys
import threading

import uapi
from pairs import PORT, veth_pair

HERE = os.path.dirname(os.path.abspath(__file__))
ATTACKED = "172.16.66.1"  # the left side's address on the link to the attacker


def attacked_pair(bed, left, right, **options):
    """A pair, with an attacker who reaches the left side from 10.66.0.0/16."""
    pair = veth_pair(bed, left, right, log="error", **options)
    pair.attacker = bed.namespace()
    bed.link(pair.left.namespace, pair.attacker, [ATTACKED + "/24"], ["172.16.66.2/24"])
    pair.left.namespace.ip("route add 10.66.0.0/16 via 172.16.66.2")
    pair.bed = bed
    return pair


def start_flood(pair, kinds, seconds, rate=100000, sources=65000, port=PORT):
    """A process that floods the left side; ready to go when this returns."""
    process = pair.bed.process(pair.attacker.start(
        sys.executable, os.path.join(HERE, "packets.py"), kinds, ATTACKED, str(port), str(sources), str(rate),
        str(seconds), uapi.hex_key(pair.left.public), stdout=-1))
    assert process.stdout.readline().strip() == b"ready"
    return process


def sent(process, seconds=60):
    """How many datagrams it sent, when it has ended."""
    return int(process.communicate(timeout=seconds)[0])


class Middle:
    """A relay in its own namespace between two devices, by which packets can be kept, changed and sent again.

    `on(direction, data)` returns the datagrams to send on: 0 is from the left side, 1 from the right.
    """

    def __init__(self, bed, pair, on=None):
        self.pair, self.on, self.kept, self.lock = pair, on, [], threading.Lock()
        self.namespace = bed.namespace()
        bed.link(pair.left.namespace, self.namespace, ["10.1.0.1/24"], ["10.1.0.9/24"])
        bed.link(pair.right.namespace, self.namespace, ["10.2.0.2/24"], ["10.2.0.9/24"])
        self.sockets = [self.namespace.socket(), self.namespace.socket()]
        self.targets = [("10.1.0.1", PORT), ("10.2.0.2", PORT)]
        self.sockets[0].bind(("10.1.0.9", PORT))
        self.sockets[1].bind(("10.2.0.9", PORT))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        bed.stack.callback(self.close)
        pair.left.device.peer(pair.right.public, "endpoint", f"10.1.0.9:{PORT}")
        pair.right.device.peer(pair.left.public, "endpoint", f"10.2.0.9:{PORT}")

    def send(self, direction, data):
        """To the right side (0) or to the left one (1)."""
        try:
            self.sockets[1 - direction].sendto(data, self.targets[1 - direction])
        except OSError:
            pass

    def _run(self):
        while not self.ended.is_set():
            for one in select.select(self.sockets, [], [], 0.1)[0]:
                direction = self.sockets.index(one)
                try:
                    data = one.recv(1 << 16)
                except OSError:
                    continue
                with self.lock:
                    if len(self.kept) < 5000:
                        self.kept.append((direction, data))
                for part in self.on(direction, data) if self.on else [data]:
                    self.send(direction, part)

    def close(self):
        self.ended.set()
        self.thread.join(2)
        for one in self.sockets:
            one.close()
