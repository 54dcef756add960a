#!/usr/bin/python3
"""wgkit net rotate between hosts in namespaces with our engine, under numbered datagrams both ways: none is lost,
none comes twice, whatever the skew between both ends."""
import json
import os
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tunnel"))
from bed import Bed, end_on_signals, run  # noqa: E402
from ends import (NET, PORT, SKEW, End, Stream, check_new, exchange, goes_back, make_keys, make_psk, settled, skewed,  # noqa: E402
                  stream_between, two_ends)  # noqa: E402
from tools import wgkit  # noqa: E402


def step_by_step(bed):
    """As a program drives both ends, with a new preshared key; then again, with the next one."""
    one, two = two_ends(bed, extra="PostUp = true")
    before = one.routes(), two.routes()
    for _ in range(2):
        texts, psk = (one.text(), two.text()), make_psk()
        path = os.path.join(bed.folder, "psk")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(psk + "\n")
        stream = stream_between(one, two)
        exchange(one, two, "--preshared-key", path)
        for step in ("switch", "rekey", "return", "finish"):
            skewed((one, two), step, "--quiet", "1")
            time.sleep(SKEW)
        stream.check("step by step")
        one.public, two.public, olds = (check_new(one, two, texts[0], psk), check_new(two, one, texts[1], psk),
                                        (one.private, two.private))
        one.private, two.private = one.dump()[0][0], two.dump()[0][0]
        assert not {one.private, two.private} & set(olds)
    assert (one.routes(), two.routes()) == before


def by_themselves(bed):
    """Nobody drives them: each end waits for what the other must have done. One has no endpoint of the other, and
    both filter strictly by the way back."""
    one, two = two_ends(bed, one_knows=False)
    for end in (one, two):
        end.space.sysctl("net.ipv4.conf.all.rp_filter", 1)
        end.space.sysctl(f"net.ipv4.conf.{end.name}.rp_filter", 0)
    two.space.reach(one.inside)
    texts = one.text(), two.text()
    stream = stream_between(one, two)
    exchange(one, two)
    skewed((two, one), "run", "--quiet", "0")
    stream.check("by themselves")
    check_new(one, two, texts[0])
    check_new(two, one, texts[1])
    for end in (one, two):
        assert end.space.run("cat", f"/proc/sys/net/ipv4/conf/{end.name}/rp_filter").stdout.strip() == "0"


def full_tunnel(bed):
    """All of one's packets go through the tunnel, whose filter knows it by its name."""
    one, two = two_ends(bed, full=True)
    one.space.nft("add table inet mine; add chain inet mine c; "
                  f'add rule inet mine c iifname "{one.name}" accept; add rule inet mine c udp dport {PORT} accept')
    two.space.ip("addr add 203.0.113.7/32 dev lo")
    text, rules = one.text(), one.space.run("nft", "list", "ruleset").stdout
    assert f'iifname != "{one.name}"' in rules
    before = one.routes()
    stream = stream_between(one, two)
    far = Stream([((one.space, one.inside), (two.space, "203.0.113.7"))], port=7100)
    far.start()
    said = one.rotate("prepare")[1]
    assert f"none for {one.second}" in said, said
    exchange(one, two)
    for step in ("switch", "rekey", "return", "finish"):
        skewed((one, two), step, "--quiet", "1")
    far.check("full tunnel")
    stream.check("in a full tunnel")
    check_new(one, two, text)
    assert one.space.run("nft", "list", "ruleset").stdout == rules
    assert one.routes() == before


def locked_down(bed):
    """Both ends have a lock-down that knows the interface by its name, in two firewalls; one lets nothing else in."""
    one, two = two_ends(bed)
    lock_down = [wgkit("fw"), "--port", str(PORT), "--allow", "7000-7002/udp"]
    script = run(*lock_down, "--iptables", "--interface", one.name).stdout
    one.space.run("sh", "-s", input=script)
    for program in ("iptables", "ip6tables"):
        one.space.run("sh", "-c", f"{program} -P INPUT DROP && {program} -A INPUT -i lo -j ACCEPT")
    two.space.nft(run(*lock_down, "--nftables", "--interface", two.name).stdout)
    stream = stream_between(one, two)
    said = one.rotate("prepare")[1]
    assert "firewall" not in said, said
    exchange(one, two)
    skewed((one, two), "switch", "--quiet", "1")
    closed, asker = two.space.socket(), one.space.socket()
    closed.bind((two.inside, 7003))
    for _ in range(5):
        asker.sendto(b"through the second device", (two.inside, 7003))
    for step in ("rekey", "return", "finish"):
        skewed((one, two), step, "--quiet", "1")
    stream.check("under a lock-down")
    assert not select.select([closed], [], [], 0)[0], "a port that is not allowed was reached"
    closed.close()
    asker.close()


def only_one(bed):
    """One of three gets new keys; the link between the other two does not even see a handshake."""
    one, two = two_ends(bed)
    three = End(bed, bed.namespace(), 3)
    three.outside = "198.51.100.3"
    for end, net in ((one, 1), (two, 2)):
        bed.link(end.space, three.space, [f"203.0.113.{4 * net + 1}/30"], [f"203.0.113.{4 * net + 2}/30"])
        end.space.ip(f"route add 198.51.100.3 via 203.0.113.{4 * net + 2}")
        three.space.ip(f"route add {end.outside} via 203.0.113.{4 * net + 1}")
    three.space.ip("addr add 198.51.100.3/32 dev lo")
    ends = one, two, three
    for end in ends:
        end.net("down", end.path, status=None)
        end.write(*(other for other in ends if other is not end))
        end.up()
        end.space.ip(f"addr replace {end.behind}/32 dev lo")
    for end, other in ((one, two), (two, three), (one, three)):
        end.space.reach(other.inside)
    streams = [stream_between(end, other, 100, 7000 + 10 * number)
               for number, (end, other) in enumerate(((one, two), (two, three), (three, one)))]
    offers = [end.prepare(*["--keep-key"] * (end is not one)) for end in ends]
    for other, offer in zip((two, three), offers[1:]):
        one.rotate("accept", offer)
        other.rotate("accept", offers[0])
    for step in ("switch", "rekey", "return", "finish"):
        skewed(ends, step, "--quiet", "1")
    for stream in streams:
        stream.check("only one of three")
    new = one.dump()[0][1]
    assert new != one.public and sorted(one.dump()[1]) == sorted([two.public, three.public])
    for end, other in ((two, three), (three, two)):
        assert end.dump()[0] == [end.private, end.public]
        assert sorted(end.dump()[1]) == sorted([new, other.public])
        assert end.text().count(new) == 1 and one.public not in end.text()


def aborts(bed):
    one, two = two_ends(bed, psk=make_psk())
    goes_back(bed, one, two, [("switch", (1, 2)), ("rekey", (1,))])


def foreign(bed):
    """A peer without wgkit can make no offer: it is said what follows, and nothing is done."""
    one, two = two_ends(bed)
    before = settled(one, two)
    offer = json.loads(open(one.prepare(), encoding="ascii").read())
    assert offer["publicKey"] == one.public and one.private not in json.dumps(offer)
    assert offer["second"]["port"] == PORT + 100
    during = one.dump(), one.text()
    for step in ("switch", "run"):
        said = one.rotate(step, status=1)[1]
        assert two.public in said and "no change of keys is without loss" in said, said
    assert "it is too early" in one.rotate("rekey", status=1)[1]
    assert one.status()["leftBehind"] == [two.public]
    assert (one.dump(), one.text()) == during == before[0][:2]
    one.rotate("abort")
    one.rotate("run")
    assert settled(one, two) == before
    one.space.reach(two.inside)


def refusals(bed):
    one, two = two_ends(bed)
    before = settled(one, two)
    for step in ("switch", "rekey", "return", "run", "abort", "accept"):
        said = one.rotate(step, *["/dev/null"] * (step == "accept"), status=1)[1]
        assert "under way" in said or "no offer" in said, said
    assert one.rotate("status")[0].strip().endswith("no rotation is under way")
    assert "port" in one.rotate("prepare", "--port", "51820", status=1)[1]
    assert "name of a second device" in one.rotate("prepare", "--second", "x" * 16, status=1)[1]
    assert "already exists" in one.rotate("prepare", "--second", "lo", status=1)[1]
    assert settled(one, two) == before
    # Nothing else changes the interface meanwhile. The record is in its own place, out of this machine's sight.
    script = ('mount -t tmpfs lib /var/lib; "$1" rotate prepare "$2" >/dev/null; ! "$1" apply "$2" || exit 9; '
              '"$1" rotate abort "$2"; "$1" rotate run "$2"; "$1" apply "$2"')
    said = one.end(one.start("unshare", "-m", "sh", "-ec", script, "sh", NET, one.path))[1]
    assert "a rotation of" in said and settled(one, two) == before, said
    # A record of another interface of the same name.
    mine, theirs = one.prepare(), two.prepare()
    os.rename(os.path.join(one.state, f"{one.name}.state"), os.path.join(bed.folder, "kept"))
    os.link(os.path.join(two.state, f"{two.name}.state"), os.path.join(one.state, f"{one.name}.state"))
    for step in ("prepare", "switch", "abort"):
        assert "not one of this" in one.rotate(step, status=1)[1]
    os.rename(os.path.join(bed.folder, "kept"), os.path.join(one.state, f"{one.name}.state"))
    assert "of this end" in one.rotate("accept", mine, status=1)[1]
    offer = json.load(open(theirs, encoding="ascii"))
    for change, word in (({"schema": 2}, "schema"), ({"newPublicKey": "x"}, "newPublicKey"),
                         ({"second": {"publicKey": offer["publicKey"], "port": 70000}}, "port"),
                         ({"publicKey": make_keys()[1]}, "no peer")):
        said = one.rotate("accept", json.dumps({**offer, **change}), status=1)[1]
        assert word in said, said
    keys = os.path.join(bed.folder, "keys")
    for text, mode, word in ((f"{offer['publicKey']}\t{make_psk()}\nnonsense\n", 0o600, ":2: no preshared key"),
                             (make_psk() + "\n", 0o644, "others"), (make_psk() + "\n" + "x y\n", 0o600, ":2: ")):
        with open(keys, "w", encoding="ascii") as file:
            os.chmod(keys, mode)
            file.write(text)
        said = one.rotate("accept", theirs, "--preshared-key", keys, status=1)[1]
        assert word in said and text[:40] not in said, said
    # The other end has not accepted: nothing is switched.
    one.rotate("accept", theirs)
    said = one.rotate("switch", "--timeout", "1", status=1)[1]
    assert "no handshake" in said and one.status()["second"]["routes"] == 0, said
    two.rotate("accept", mine)
    one.rotate("switch")
    # The other end has not switched, and is heard.
    assert "packets still come in" in one.rotate("rekey", "--quiet", "5", "--timeout", "0", status=1)[1]
    assert one.dump()[0][0] == one.private
    assert f"{one.name}: switched" in one.end(one.step("status"), 2)[0]
    one.rotate("abort")
    two.rotate("abort")
    skewed((one, two), "run", "--quiet", "0")
    assert settled(one, two) == before


SCENARIOS = (step_by_step, by_themselves, full_tunnel, locked_down, only_one, aborts, foreign, refusals)


def alone(scenario):
    begin = time.monotonic()
    with Bed() as bed:
        scenario(bed)
    print(f"{scenario.__name__} ok, {time.monotonic() - begin:.1f} s", flush=True)


def main():
    """Without a name, all at once, each in a process of its own: they mostly wait."""
    end_on_signals()
    if len(sys.argv) == 2:
        alone(next(one for one in SCENARIOS if one.__name__ == sys.argv[1]))
        return
    children = [(one.__name__, subprocess.Popen([sys.executable, __file__, one.__name__])) for one in SCENARIOS]
    status = {name: child.wait() for name, child in children}
    sys.exit(max(status.values()))


if __name__ == "__main__":
    main()
