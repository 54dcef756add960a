#!/usr/bin/python3
"""net_kernel_bench.py [--bin FOLDER] [--applies N] [--rate R] [--peers P]: what wgkit net apply costs those who are
connected through the kernel's WireGuard, beside `wg syncconf`, in a virtual machine (tests/kernel/guest.py).

Two devices send numbered UDP datagrams both ways, while one of them is only read, N times, or changed: N times nothing,
and N times one of its P other peers; in each round in the other order. The rate is halved until a run without changes
loses nothing. Beside each number is what the kernel says that it has dropped, and where. Then: the messages of an apply
with nothing to do.
"""
import argparse
import base64
import os
import pathlib
import random
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kernel"))
from guest import Guest, sections  # noqa: E402

JOB = r"""
umask 077
mkdir -p /run/c
ip link add wire0 type veth peer name wire1
unshare --net sh -c 'echo $$ >/run/pid; exec sleep 100000' &
wait_for 10 test -s /run/pid
there() { nsenter --net=/proc/$(cat /run/pid)/ns/net "$@"; }
ip link set wire1 netns "$(cat /run/pid)"
ip addr add 192.0.2.1/24 dev wire0
ip link set wire0 up
there ip addr add 192.0.2.2/24 dev wire1
there ip link set wire1 up
there ip link set lo up
wg genkey >/run/left.key
wg genkey >/run/right.key
right=$(wg pubkey </run/right.key)
printf '[Interface]\nPrivateKey = %s\nListenPort = 51821\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.0.0.1/32\nEndpoint = 192.0.2.1:51820\n' \
  "$(cat /run/right.key)" "$(wg pubkey </run/left.key)" >/run/right.conf
# Two files that differ in one of the other peers.
for turn in 0 1; do
  { printf '[Interface]\nPrivateKey = %s\nListenPort = 51820\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.0.0.2/32\nEndpoint = 192.0.2.2:51821\n' \
      "$(cat /run/left.key)" "$right"
    cat /peers$turn; } >/run/c/$turn.conf
done
ip link add k0 type wireguard
wg setconf k0 /run/c/0.conf
ip addr add 10.0.0.1/24 dev k0
ip link set k0 up
there ip link add k1 type wireguard
there wg setconf k1 /run/right.conf
there ip addr add 10.0.0.2/24 dev k1
there ip link set k1 up
wait_for 20 ping -c 1 -W 1 10.0.0.2 >/run/log
now() { read -r seconds rest </proc/uptime; echo "$seconds"; }
# What the kernel itself says that it has dropped, here and over there.
counters() { cat /proc/net/dev /proc/net/snmp /proc/net/softnet_stat; }
# measure NAME RATE COMMAND...: the command under datagrams both ways.
measure() {
  name=$1 rate=$2
  shift 2
  section "$name, here before" counters
  section "$name, there before" there sh -c "cat /proc/net/dev /proc/net/snmp"
  /numbers 10.0.0.1 10.0.0.2 7000 $rate >/run/here & one=$!
  nsenter --net=/proc/$(cat /run/pid)/ns/net /numbers 10.0.0.2 10.0.0.1 7000 $rate >/run/over & two=$!
  sleep 1
  begin=$(now)
  "$@"
  end=$(now)
  kill $one $two
  wait $one $two
  section "$name, here after" counters
  section "$name, there after" there sh -c "cat /proc/net/dev /proc/net/snmp"
  echo "@@@ section $name"
  echo "seconds $begin $end"
  cat /run/here /run/over
}
again() { # COUNT CHANGES COMMAND...
  count=$1 changes=$2
  shift 2
  turn=0
  while [ $turn -lt $count ]; do
    turn=$((turn + 1))
    "$@" /run/c/$((turn % 2 * changes)).conf >/run/log 2>&1 || { cat /run/log; return 1; }
  done
}
"""


def key_of(generator):
    return base64.b64encode(generator.randbytes(32)).decode()


def peers(count, turn):
    generator = random.Random(1)
    for number in range(count):
        extra = ", 10.2.0.0/24" if turn and number == count // 2 else ""
        yield f"[Peer]\nPublicKey = {key_of(generator)}\nAllowedIPs = 10.1.{number // 250}.{number % 250}/32{extra}\n"


def dropped(text):
    """{where: how many} of what `counters` printed. A datagram may be in two: a device's queue, and the processor's."""
    found = {}
    for name, numbers in re.findall(r"^ *((?:k|wire)[01]):(.*)", text, re.M):
        columns = list(map(int, numbers.split()))
        found[f"{name} received"], found[f"{name} sent"] = columns[2] + columns[3], columns[10] + columns[11]
    found["sockets"] = int(re.search(r"^Udp: \d+ \d+ \d+ \d+ (\d+)", text, re.M)[1])
    rows = re.findall(r"^[0-9a-f]{8} ([0-9a-f]{8}) ", text, re.M)
    if rows:
        found["queue of the processor"] = sum(int(row, 16) for row in rows)
    return found


def outcome(parts, name):
    """(lost, sent, seconds, {where: dropped}) of a section: what one end has sent less what the other has received."""
    text = parts[name]
    begin, end = map(float, re.search(r"seconds (\S+) (\S+)", text).groups())
    rows = [list(map(int, re.findall(r"\d+", line))) for line in text.splitlines() if line.startswith("sent")]
    (sent, got), (other_sent, other_got) = ((row[0], row[1]) for row in rows)
    drops = {}
    for side in ("here", "there"):
        before, after = (dropped(parts[f"{name}, {side} {when}"]) for when in ("before", "after"))
        drops |= {f"{where} {side}": after[where] - before[where] for where in after if after[where] != before[where]}
    return sent + other_sent - got - other_got, sent + other_sent, end - begin, drops


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(ROOT / "build" / "dev" / "bin"))
    parser.add_argument("--applies", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--peers", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=1500, help="for one virtual machine")
    options = parser.parse_args()
    net, numbers = (os.path.abspath(os.path.join(options.bin, name)) for name in ("wgkit-net", "wgkit_udp_numbers"))

    def run(job):
        guest = Guest(["wg", "ping", "unshare", "nsenter", "strace", net, numbers], modules=("wireguard", "veth"))
        guest.initramfs.link("net", net)
        guest.initramfs.link("numbers", numbers)
        for turn in (0, 1):
            guest.initramfs.file(f"peers{turn}", "".join(peers(options.peers, turn)).encode())
        return sections(guest.run(JOB + job, seconds=options.seconds))

    rate = options.rate
    while True:
        lost, sent, seconds, drops = outcome(run(f"measure control {rate} sleep 20\n"), "control")
        print(f"control, {rate} datagrams/s each way: {lost} lost of {sent}, {sent / 2 / (seconds + 1):.0f}/s sent {drops or ''}", flush=True)
        if not lost or rate <= 10:
            break
        rate //= 2
    count = options.applies
    work = {f"{count} x wg show dump": f"again {count} 0 wg_show k0",
            **{f"{count} x {name} that {what}": f"again {count} {changes} {command}"
               for name, command in (("wgkit net apply", "/net apply --interface k0"), ("wg syncconf", "wg syncconf k0"))
               for changes, what in ((0, "changes nothing"), (1, "changes one peer"))}}
    for turn in range(options.rounds):
        job = ""
        for name, command in list(work.items())[::-1 if turn % 2 else 1]:
            job += f'again 1 0 /net apply --interface k0\nmeasure "{name}" {rate} {command}\n'
        parts = run(f"wg_show() {{ wg show k0 dump; }}\n" + job + f"measure nothing {rate} sleep 60\n")
        for name in (*work, "nothing"):
            lost, sent, seconds, drops = outcome(parts, name)
            print(f"round {turn + 1}: {name}: {lost} lost of {sent}, {1000 * seconds / count:.1f} ms each, "
                  f"{sent / 2 / (seconds + 1):.0f}/s {drops or ''}", flush=True)
    parts = run("again 1 0 /net apply --interface k0\nstrace -f -qq -o /run/trace -e trace=sendto,sendmsg,recvmsg,recvfrom "
                "/net apply --interface k0 /run/c/0.conf >/run/log\nsection trace cat /run/trace\nsection end true\n")
    sent = [line for line in parts["trace"].splitlines() if re.search(r"send(to|msg)\(", line)]
    print(f"messages of an apply with nothing to do: {len(sent)}")
    for line in sent:
        print("  " + re.sub(r"^\d+ +", "", line)[:160])


if __name__ == "__main__":
    main()
