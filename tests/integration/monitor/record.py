#!/usr/bin/python3
"""record.py FOLDER [--seconds N] [--only PATTERN] [--engine COMMAND]...: records real tunnels as traces.

Every scene of scenes.py with every engine, all at once, sampled every second through the configuration
sockets. For each side of each pair a file FOLDER/SCENE.ENGINE.SIDE.trace:

  scene NAME             # and what it is
  engine NAME
  side left|right
  keepalive SECONDS      of this side
  endpoint yes|no        whether this side's configuration names the other's endpoint
  event SECOND WHAT      what happened
  expect FROM TO VERDICT...   what is true in this span, as the scene says
  start EPOCH            the wall clock at second 0
  SECOND HANDSHAKE RX TX      when one of them has changed; `gone` if the engine did not answer
  end SECOND

SECOND has tenths; HANDSHAKE is in seconds since 1970 as the engine tells it, 0 for never.
"""
import argparse
import fnmatch
import os
import shutil
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tunnel")]
from bed import Bed, end_on_signals  # noqa: E402
from device import make_keys, make_psk  # noqa: E402
from pairs import LEFT4, LEFT6, PORT, RIGHT4, RIGHT6, Side  # noqa: E402
from scenario import flavour  # noqa: E402
from scenes import SCENES, SECONDS, make  # noqa: E402
from tools import need, wgkit  # noqa: E402
import uapi  # noqa: E402


class RecordedPair:
    """Two namespaces, a link, two engines; what the scene wants of them."""

    def __init__(self, bed, scene, command):
        self.bed, self.scene = bed, scene
        one, two = bed.namespaces(2)
        self.links = bed.link(one, two, ["10.0.0.1/24"], ["10.0.0.2/24"])
        self.left = Side(bed.device(one, command, log="error"), one, (LEFT4, LEFT6))
        self.right = Side(bed.device(two, command, log="error"), two, (RIGHT4, RIGHT6))
        self.psk = {"": "", "one": make_psk(), "other": make_psk()}
        self.keep = []  # sockets
        self.is_open = True

    def configure(self, side):
        me, other = getattr(self, side), getattr(self, "right" if side == "left" else "left")
        scene = self.scene
        me.device.set_key(me.device.private)
        me.device.wg("listen-port", str(PORT))
        public = make_keys()[1] if scene.wrong_key and side == "left" else other.public
        words = ["allowed-ips", f"{other.inside[0]}/32"]
        if side == "left":
            words += ["endpoint", f"10.0.0.2:{PORT}"]
        if scene.keepalive[side]:
            words += ["persistent-keepalive", str(scene.keepalive[side])]
        me.device.up(f"{me.inside[0]}/24", namespace=me.namespace)
        me.device.peer(public, *words, psk=self.psk[scene.psk[side]])
        me.peer = public

    def set_psk(self, side, which):
        me = getattr(self, side)
        me.device.peer(me.peer, psk=self.psk[which])

    def open_sink(self, side, address):
        sink = getattr(self, side).namespace.socket()
        sink.bind((address, 9))
        self.keep.append(sink)

    def stream(self, side, address, every):
        source = getattr(self, side).namespace.socket()
        self.keep.append(source)

        def send():
            while self.is_open:
                try:
                    source.sendto(b"one way", (address, 9))
                except OSError:
                    pass
                time.sleep(every)
        threading.Thread(target=send, daemon=True).start()


class Recording:
    """One side's samples."""

    def __init__(self, scene, side, engine):
        self.scene, self.side, self.engine = scene, side, engine
        self.lines, self.last = [], None

    def sample(self, second, device):
        try:
            values = next(iter(uapi.peers(device.name).values()))
            new = tuple(int(values[key][0]) for key in ("last_handshake_time_sec", "rx_bytes", "tx_bytes"))
            text = " ".join(map(str, new))
        except (OSError, StopIteration):  # it was killed, or is not configured yet
            new, text = None, "gone"
        if new != self.last or not self.lines:
            self.lines.append(f"{second:.1f} {text}")
            self.last = new

    def text(self, start, second):
        scene = self.scene
        head = [f"scene {scene.name} # {scene.text}", f"engine {self.engine}", f"side {self.side}",
                f"keepalive {scene.keepalive[self.side]}",
                f"endpoint {'yes' if self.side == 'left' else 'no'}"]
        head += [f"event {at:.1f} {what}" for at, what in scene.events]
        head += [f"expect {span.start:g} {span.end:g} {' '.join(span.verdicts)}"
                 for span in scene.truth if span.side == self.side]
        return "\n".join([*head, f"start {start:.3f}", *self.lines, f"end {second:.1f}"]) + "\n"


def record(bed, scenes, engines, seconds, folder):
    recordings = []
    for engine in engines:
        for row in scenes:
            scene = make(*row)
            scene.pair = RecordedPair(bed, scene, engine)
            recordings += [(scene, Recording(scene, side, flavour(engine))) for side in ("left", "right")]
    start, begin = time.time(), time.monotonic()
    for scene, recording in recordings:
        if recording.side == "right":
            scene.pair.configure("right")
            scene.pair.configure("left")
    start, begin = time.time(), time.monotonic()
    for tick in range(seconds + 1):
        time.sleep(max(0.0, begin + tick - time.monotonic()))
        for scene, recording in recordings:
            second = time.monotonic() - begin
            while scene.actions and scene.actions[0][0] <= second:
                _, what, action = scene.actions.pop(0)
                action()
                scene.events.append((time.monotonic() - begin, what))
            recording.sample(time.monotonic() - begin, getattr(scene.pair, recording.side).device)
    os.makedirs(folder, exist_ok=True)
    for scene, recording in recordings:
        scene.pair.is_open = False
        path = os.path.join(folder, f"{scene.name}.{recording.engine}.{recording.side}.trace")
        with open(path, "w", encoding="ascii") as file:
            file.write(recording.text(start, time.monotonic() - begin))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder")
    arguments.add_argument("--seconds", type=int, default=SECONDS)
    arguments.add_argument("--only", default="*")
    arguments.add_argument("--engine", action="append")
    options = arguments.parse_args()
    engines = options.engine or [wgkit("tunnel") + " --foreground",
                                 need("wireguard-go", "wireguard-go") + " -f"]
    end_on_signals()
    with Bed() as bed:
        record(bed, [row for row in SCENES if fnmatch.fnmatch(row[0], options.only)], engines,
               options.seconds, options.folder)


if __name__ == "__main__":
    main()
