#!/usr/bin/python3
"""Numbered UDP packets between all pairs of hosts, counted, in a process of its own.

    with Traffic(hosts, per_second=50) as traffic:
        ...
        traffic.add(host)            # pairs with it count from now on
        traffic.watch(host)          # its packets may be lost from now on; when was the last one taken?
        report = traffic.stop()      # {"sent", "lost", "pairs", "worst", "last_taken": {name: seconds}}

A packet counts as lost if it is not there a second after the last was sent.
"""
import collections
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

PORT = 4000
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class Traffic:
    def __init__(self, hosts, per_second=50):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), str(per_second)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._say({"do": "hosts", "hosts": [self._host(host) for host in hosts]})
        if self.process.stdout.readline().strip() != "started":
            raise AssertionError("the traffic did not start")

    @staticmethod
    def _host(host):
        return [host.name, host.namespace.name, host.inner]

    def _say(self, what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self.process.stdin.close()
        self.process.stdout.close()

    def add(self, host):
        self._say({"do": "add", "host": self._host(host)})

    def watch(self, host):
        self._say({"do": "watch", "name": host.name, "time": time.monotonic()})

    def stop(self):
        self._say({"do": "stop"})
        return json.loads(self.process.stdout.readline())


class Counter:
    def __init__(self, per_second):
        self.pause = 1 / per_second
        self.hosts, self.sockets = [], []
        self.sent = collections.Counter()
        self.missing = {}  # (from, to) -> {number: when it was sent}
        self.free = set()  # hosts whose packets may be lost
        self.watched, self.last = {}, {}

    def add(self, name, namespace, address):
        with open("/proc/self/ns/net", "rb") as before, open(f"/run/netns/{namespace}", "rb") as there:
            LIBC.setns(there.fileno(), CLONE_NEWNET)
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            LIBC.setns(before.fileno(), CLONE_NEWNET)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        one.bind((address, PORT))
        self.hosts.append((name, address))
        self.sockets.append(one)

    def send_all(self, now):
        for i, one in enumerate(self.sockets):
            for j, (_, address) in enumerate(self.hosts):
                if i == j:
                    continue
                number = self.sent[i, j]
                self.sent[i, j] += 1
                self.missing.setdefault((i, j), {})[number] = now
                try:
                    one.sendto(struct.pack("!HI", i, number), (address, PORT))
                except OSError:
                    pass  # lost, then

    def receive(self, until):
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([*self.sockets, sys.stdin], [], [], left)
            for one in ready:
                if one is sys.stdin:
                    if self.obey(json.loads(sys.stdin.readline() or '{"do": "stop"}')):
                        return True
                    continue
                j = self.sockets.index(one)
                try:
                    while True:
                        data, (address, _) = one.recvfrom(64)
                        i, number = struct.unpack("!HI", data)
                        self.missing.get((i, j), {}).pop(number, None)
                        if self.hosts[i][0] in self.watched:
                            self.last[self.hosts[i][0]] = time.monotonic()
                except BlockingIOError:
                    pass
                except OSError:
                    pass  # what ICMP told of an earlier packet
        return False

    def obey(self, order):
        if order["do"] == "add":
            self.add(*order["host"])
        elif order["do"] == "watch":
            self.watched[order["name"]] = order["time"]
            self.free.add(order["name"])
        return order["do"] == "stop"

    def run(self):
        for host in json.loads(sys.stdin.readline())["hosts"]:
            self.add(*host)
        print("started", flush=True)
        due = time.monotonic()
        while True:
            self.send_all(time.monotonic())
            due = max(due + self.pause, time.monotonic() - 1)
            if self.receive(due):
                break
        self.receive(time.monotonic() + 1)
        self.report()

    def report(self):
        lost, worst, total, pairs = 0, {}, 0, 0
        for (i, j), numbers in self.missing.items():
            if self.hosts[i][0] in self.free or self.hosts[j][0] in self.free:
                continue
            pairs += 1
            total += self.sent[i, j]
            lost += len(numbers)
            if numbers:
                worst[f"{self.hosts[i][0]}->{self.hosts[j][0]}"] = sorted(numbers.values())
        last = {name: self.last.get(name, since) - since for name, since in self.watched.items()}
        print(json.dumps({"sent": total, "lost": lost, "pairs": pairs, "worst": worst, "last_taken": last}), flush=True)


if __name__ == "__main__":
    Counter(float(sys.argv[1])).run()
