#!/usr/bin/python3
"""The configuration socket, word for word: what a client may say, in which pieces, and what comes back
(wireguard.com/xplatform). Each defect that another engine shipped has its scenario."""
import os
import stat
import time

from bed import run, wait_for
from device import make_keys
from scenario import main, scenario
from uapi import Uapi, failure, get, hex_key, peers, put

EINVAL, EPROTO, EADDRINUSE = failure("EINVAL"), failure("EPROTO"), failure("EADDRINUSE")
ORDER = ["public_key", "preshared_key", "protocol_version", "endpoint", "last_handshake_time_sec",
         "last_handshake_time_nsec", "tx_bytes", "rx_bytes", "persistent_keepalive_interval", "allowed_ip"]
ZERO = "0" * 64
OLD = {"wireguard-go": "Debian's is older than this rule"}


def fresh(bed, engines):
    return bed.device(bed.namespace(), engines.engine, log="error")


def key():
    return hex_key(make_keys()[1])


def clear(device):
    assert put(device.name, "replace_peers=true") == 0


def check(device, request, wanted, text=""):
    got = put(device.name, request)
    assert got == wanted, f"{text or request!r}: errno {got}, not {wanted}"


@scenario(on=fresh)
def get_of_an_empty_device(device, _):
    """No key, no port, no mark, no peer: nothing but errno=0 (and a port once there is one)."""
    assert [pair for pair in get(device.name) if pair[0] != "listen_port"] == [("errno", "0")], get(device.name)


@scenario(on=fresh)
def get_lists_in_order(device, _):
    """Device first, then each peer with its fields in the documented order."""
    private, peer = hex_key(make_keys()[0]), key()
    check(device, f"private_key={private}\nlisten_port=12345\nfwmark=77\npublic_key={peer}\npreshared_key={'ab' * 32}\n"
          "endpoint=192.0.2.9:1\npersistent_keepalive_interval=25\nallowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\n"
          "protocol_version=1", 0)
    pairs = get(device.name)
    assert pairs[:4] == [("private_key", pairs[0][1]), ("listen_port", "12345"), ("fwmark", "77"),
                         ("public_key", peer)], pairs[:4]
    keys = list(dict.fromkeys(k for k, _ in pairs[3:-1]))
    assert keys == ORDER, keys
    assert pairs[-1] == ("errno", "0")
    values = peers(device.name)[peer]
    assert values["preshared_key"] == ["ab" * 32] and values["endpoint"] == ["192.0.2.9:1"]
    assert values["persistent_keepalive_interval"] == ["25"]
    assert sorted(values["allowed_ip"]) == ["10.0.0.0/8", "fd00::/8"]
    assert values["last_handshake_time_sec"] == ["0"] and values["tx_bytes"] == ["0"]


@scenario(on=fresh)
def peers_without_extras_still_say_all(device, _):
    """A bare peer has a zero preshared key and no endpoint line."""
    clear(device)
    peer = key()
    check(device, f"public_key={peer}", 0)
    values = peers(device.name)[peer]
    assert values["preshared_key"] == [ZERO] and "endpoint" not in values and "allowed_ip" not in values, values
    assert values["persistent_keepalive_interval"] == ["0"] and values["protocol_version"] == ["1"]


@scenario(on=fresh)
def errors_are_negative(device, _):
    """errno=-22 for bad values, in the sign that wg(8) expects of a set request."""
    peer = key()
    for request in ("private_key=00", f"private_key={'zz' * 32}", "listen_port=65536", "listen_port=-1",
                    "listen_port=x", "fwmark=4294967296", "fwmark=-1", "replace_peers=false", "public_key=12",
                    f"public_key={peer}\npreshared_key=1", f"public_key={peer}\nendpoint=no.port",
                    f"public_key={peer}\nendpoint=192.0.2.1:65536", f"public_key={peer}\nendpoint=name.test:1",
                    f"public_key={peer}\npersistent_keepalive_interval=65536",
                    f"public_key={peer}\nallowed_ip=10.0.0.0", f"public_key={peer}\nallowed_ip=10.0.0.0/33",
                    f"public_key={peer}\nallowed_ip=fd00::/129", f"public_key={peer}\nreplace_allowed_ips=false",
                    f"public_key={peer}\nremove=false", f"public_key={peer}\nprotocol_version=2",
                    f"public_key={peer}\nupdate_only=false"):
        check(device, request, EINVAL)


@scenario(on=fresh)
def unknown_keys_are_refused(device, _):
    """Unknown keys of device and peer, and device keys behind a peer."""
    for request in ("unknown_key=1", "endpoint=192.0.2.1:1", "allowed_ip=10.0.0.0/8", "remove=true",
                    f"public_key={key()}\nunknown_key=1", f"public_key={key()}\nlisten_port=1",
                    f"public_key={key()}\nprivate_key={ZERO}", f"public_key={key()}\nlast_handshake_time_sec=1"):
        check(device, request, EINVAL)


@scenario(on=fresh)
def a_line_without_equals_is_a_protocol_error(device, _):
    """A line without '=' is EPROTO (-71)."""
    check(device, "listen_port", EPROTO)
    check(device, f"public_key={key()}\nnonsense", EPROTO)


@scenario(on=fresh)
def earlier_lines_stay(device, _):
    """A set request is no transaction: what stood before the bad line is applied, what follows is not."""
    clear(device)
    one, two = key(), key()
    check(device, f"fwmark=5\npublic_key={one}\nallowed_ip=10.1.0.0/16\nbad=1\npublic_key={two}", EINVAL)
    assert ("fwmark", "5") in get(device.name) and list(peers(device.name)) == [one]
    assert peers(device.name)[one]["allowed_ip"] == ["10.1.0.0/16"]
    check(device, "fwmark=0", 0)
    assert "fwmark" not in dict(get(device.name))


@scenario(on=fresh)
def after_an_error_the_device_answers(device, _):
    """Errors do not wedge the engine: a new connection works, also after 50 of them."""
    for _ in range(50):
        check(device, "listen_port=x", EINVAL)
    assert get(device.name)[-1] == ("errno", "0")


@scenario(on=fresh)
def values_may_hold_equals(device, _):
    """'=' in a value belongs to the value: a bad value, not a protocol error."""
    check(device, "listen_port=1=2", EINVAL)
    check(device, f"public_key={key()}\nendpoint=a=b:1", EINVAL)


@scenario(on=fresh)
def several_requests_on_one_connection(device, _):
    """Set, get and set again over one connection."""
    peer = key()
    with Uapi(device.name) as connection:
        assert connection.ask(f"set=1\npublic_key={peer}") == "errno=0\n"
        assert f"public_key={peer}\n" in connection.ask("get=1")
        assert connection.ask(f"set=1\npublic_key={peer}\nremove=true") == "errno=0\n"
        assert f"public_key={peer}\n" not in connection.ask("get=1")


@scenario(on=fresh, known={"wireguard-go": "its reader swallows what was sent ahead"})
def pipelined_requests(device, _):
    """Three requests in one write: three answers, in order."""
    peer = key()
    with Uapi(device.name, timeout=3) as connection:
        connection.send(f"set=1\npublic_key={peer}\n\nget=1\n\nset=1\npublic_key={peer}\nremove=true\n\n")
        assert connection.answer() == "errno=0\n"
        assert f"public_key={peer}\n" in connection.answer()
        assert connection.answer() == "errno=0\n"
    assert peer not in peers(device.name)


@scenario(on=fresh)
def a_request_in_single_bytes(device, _):
    """However the stream is cut, the request is the same."""
    peer = key()
    with Uapi(device.name) as connection:
        for byte in f"set=1\npublic_key={peer}\nendpoint=[2001:db8::1]:5\n\n".encode():
            connection.send(bytes([byte]))
        assert connection.answer() == "errno=0\n"
    assert peers(device.name)[peer]["endpoint"] == ["[2001:db8::1]:5"]


@scenario(on=fresh)
def a_set_without_its_empty_line(device, _):
    """The client ends the stream after the last line: applied, and answered."""
    peer = key()
    with Uapi(device.name) as connection:
        connection.send(f"set=1\npublic_key={peer}\n")
        connection.end_of_requests()
        assert connection.answer().strip() == "errno=0"
    assert peer in peers(device.name)


@scenario(on=fresh)
def a_get_needs_its_empty_line(device, _):
    """Something behind get=1 is an error, not a list."""
    with Uapi(device.name, timeout=3) as connection:
        connection.send("get=1\nlisten_port=1\n\n")
        answer = connection.answer()
    assert "public_key" not in answer and answer.strip() in ("", f"errno={EINVAL}", f"errno={-EINVAL}"), (
        answer)  # wg reads only positive ones of a get


@scenario(on=fresh)
def an_unknown_operation_ends_the_connection(device, _):
    """Neither get=1 nor set=1: closed without a list; the next connection works."""
    for request in ("put=1\n\n", "get=2\n\n", "set=0\n\n", "hello\n\n"):
        with Uapi(device.name, timeout=3) as connection:
            connection.send(request)
            try:
                answer = connection.answer()
            except TimeoutError:
                raise AssertionError(f"neither closed nor answered: {request!r}") from None
            assert "public_key" not in answer and "errno=0" not in answer, f"{request!r}: {answer!r}"
    assert get(device.name)[-1] == ("errno", "0")


@scenario(on=fresh)
def removal_leaves_no_peer_behind(device, _):
    """remove=true of a peer that is not there creates none (wg sends it without update_only)."""
    peer = key()
    check(device, f"public_key={peer}\nremove=true", 0)
    assert peer not in peers(device.name)
    check(device, f"public_key={peer}\nallowed_ip=10.5.0.0/16", 0)
    check(device, f"public_key={peer}\nremove=true", 0)
    assert peer not in peers(device.name)


@scenario(on=fresh)
def update_only_creates_nothing(device, _):
    """update_only=true changes what is there and ignores all else that is said of an unknown peer."""
    known, unknown = key(), key()
    check(device, f"public_key={known}", 0)
    check(device, f"public_key={unknown}\nupdate_only=true\npersistent_keepalive_interval=9\n"
          f"allowed_ip=10.6.0.0/16\npublic_key={known}\nupdate_only=true\npersistent_keepalive_interval=7", 0)
    there = peers(device.name)
    assert unknown not in there and there[known]["persistent_keepalive_interval"] == ["7"]


@scenario(on=fresh)
def replace_peers_replaces(device, _):
    """replace_peers=true removes all that were there and keeps what follows."""
    one, two = key(), key()
    check(device, f"public_key={one}", 0)
    check(device, f"replace_peers=true\npublic_key={two}", 0)
    assert list(peers(device.name)) == [two]


@scenario(on=fresh)
def replace_allowed_ips_replaces(device, _):
    """replace_allowed_ips=true empties this peer's list alone; without it lists grow."""
    clear(device)
    one, two = key(), key()
    check(device, f"public_key={one}\nallowed_ip=10.1.0.0/16\npublic_key={two}\nallowed_ip=10.2.0.0/16", 0)
    check(device, f"public_key={one}\nallowed_ip=10.3.0.0/16", 0)
    assert sorted(peers(device.name)[one]["allowed_ip"]) == ["10.1.0.0/16", "10.3.0.0/16"]
    check(device, f"public_key={one}\nreplace_allowed_ips=true\nallowed_ip=10.4.7.7/16", 0)
    there = peers(device.name)
    assert there[one]["allowed_ip"] == ["10.4.0.0/16"] and there[two]["allowed_ip"] == ["10.2.0.0/16"]


@scenario(on=fresh, known=OLD)
def minus_prefixes(device, _):
    """allowed_ip=-PREFIX: removed from its owner alone; no error for what is not there; nonsense is one."""
    clear(device)
    one, two = key(), key()
    check(device, f"public_key={one}\nallowed_ip=10.1.0.0/16\nallowed_ip=10.2.0.0/16\npublic_key={two}", 0)
    check(device, f"public_key={one}\nallowed_ip=-10.1.0.0/16\nallowed_ip=-10.9.0.0/16", 0)
    check(device, f"public_key={two}\nallowed_ip=-10.2.0.0/16", 0)
    assert peers(device.name)[one]["allowed_ip"] == ["10.2.0.0/16"]
    check(device, f"public_key={one}\nallowed_ip=--10.2.0.0/16", EINVAL)
    check(device, f"public_key={one}\nallowed_ip=-", EINVAL)


@scenario(on=fresh)
def peers_do_not_inherit_from_each_other(device, _):
    """What was said of one peer is not taken for the next in the same request."""
    clear(device)
    one, two = key(), key()
    check(device, f"public_key={one}\npreshared_key={'cd' * 32}\nendpoint=192.0.2.1:1\n"
          f"persistent_keepalive_interval=3\nallowed_ip=10.1.0.0/16\npublic_key={two}", 0)
    values = peers(device.name)[two]
    assert values["preshared_key"] == [ZERO] and "endpoint" not in values and "allowed_ip" not in values
    assert values["persistent_keepalive_interval"] == ["0"]
    check(device, f"public_key={one}\nremove=true\npublic_key={two}\npersistent_keepalive_interval=4", 0)
    assert list(peers(device.name)) == [two], "remove of one took the other"


@scenario(on=fresh)
def peers_change_in_place(device, _):
    """Every field of an existing peer can be changed, and the rest stays."""
    clear(device)
    peer = key()
    check(device, f"public_key={peer}\nallowed_ip=10.1.0.0/16\nendpoint=192.0.2.1:1", 0)
    for field, value in (("endpoint", "192.0.2.2:2"), ("endpoint", "[2001:db8::2]:3"),
                         ("persistent_keepalive_interval", "11"), ("preshared_key", "ef" * 32),
                         ("preshared_key", ZERO), ("allowed_ip", "10.2.0.0/16")):
        check(device, f"public_key={peer}\n{field}={value}", 0)
        assert value in peers(device.name)[peer][field], (field, peers(device.name)[peer])
    assert len(peers(device.name)[peer]["allowed_ip"]) == 2


@scenario(on=fresh)
def peers_before_the_private_key(device, _):
    """Peers may come first; the key follows, is listed, and zero takes it away again."""
    clear(device)
    peer, private = key(), make_keys()[0]
    check(device, f"private_key={ZERO}\npublic_key={peer}\npreshared_key={'12' * 32}", 0)
    assert "private_key" not in dict(get(device.name))
    check(device, f"private_key={hex_key(private)}", 0)
    assert dict(get(device.name))["private_key"] == hex_key(private)
    assert peer in peers(device.name)
    check(device, f"private_key={ZERO}", 0)
    assert "private_key" not in dict(get(device.name))


@scenario(on=fresh)
def ports(device, _):
    """A port taken by others is EADDRINUSE and the old one stays usable; 0 chooses one; the same again is fine."""
    device.set_key()
    device.up("10.1.1.1/24")
    with device.namespace.socket() as blocker:
        blocker.bind(("0.0.0.0", 0))
        taken = blocker.getsockname()[1]
        check(device, f"listen_port={taken}", EADDRINUSE)
        assert taken not in (device.namespace.bound_ports() - {taken})
    check(device, f"listen_port={taken}", 0)
    check(device, f"listen_port={taken}", 0)
    wait_for("the port is bound", lambda: taken in device.namespace.bound_ports(), 2)
    check(device, "listen_port=0", 0)
    chosen = int(dict(get(device.name))["listen_port"])
    assert chosen and chosen in device.namespace.bound_ports(), chosen
    ran = device.wg("listen-port", str(chosen), check=False)
    assert ran.returncode == 0, ran.stderr


@scenario(on=fresh)
def wg_says_why(device, _):
    """The real wg prints the system's text for an error, not an unknown number."""
    with device.namespace.socket() as blocker:
        blocker.bind(("0.0.0.0", 0))
        ran = device.wg("listen-port", str(blocker.getsockname()[1]), check=False)
    assert ran.returncode != 0 and "in use" in ran.stderr, ran.stderr


@scenario(on=fresh)
def mark_is_hexadecimal_for_wg_and_decimal_here(device, _):
    """fwmark is a number of 32 bits; 0 turns it off."""
    for mark in (1, 0xCA6C, 0xFFFFFFFF):
        check(device, f"fwmark={mark}", 0)
        assert dict(get(device.name))["fwmark"] == str(mark)
    check(device, "fwmark=0", 0)


@scenario(on=fresh)
def twenty_thousand_peers(device, _):
    """20,000 peers in one request, listed whole, one changed among them, all removed again."""
    clear(device)
    keys = [os.urandom(31).hex() + "00" for _ in range(20000)]
    text = "".join(f"public_key={k}\nendpoint=192.0.2.1:{1 + n}\nallowed_ip=10.{n >> 8}.{n & 255}.0/24\n"
                   for n, k in enumerate(keys))
    check(device, text, 0, "20,000 peers")
    there = peers(device.name)
    assert set(there) == set(keys) and there[keys[777]]["endpoint"] == ["192.0.2.1:778"]
    check(device, f"public_key={keys[19999]}\nupdate_only=true\npersistent_keepalive_interval=1", 0)
    check(device, f"public_key={keys[19999]}\nremove=true", 0)
    assert len(run("wg", "show", device.name, "peers", timeout=60).stdout.split()) == 19999
    clear(device)
    assert peers(device.name) == {}


@scenario(on=fresh)
def clients_at_once(device, _):
    """Ten connections that set and get in turns; one that says nothing blocks nobody."""
    silent = Uapi(device.name)
    clients = [Uapi(device.name) for _ in range(10)]
    keys = [key() for _ in clients]
    for client, one in zip(clients, keys):
        client.send(f"set=1\npublic_key={one}\n\n")
    for client in clients:
        assert client.answer() == "errno=0\n"
    for client in clients:
        assert all(f"public_key={one}\n" in client.ask("get=1") for one in keys)
    for client in [*clients, silent]:
        client.socket.close()
    assert get(device.name)[-1] == ("errno", "0")


@scenario(on=fresh, known={"wireguard-go": "holds its lock until the request is complete"})
def a_half_said_request_blocks_nobody(device, _):
    """A client stops in the middle of a set request: others are answered meanwhile."""
    with Uapi(device.name) as half, Uapi(device.name, timeout=2) as other:
        half.send("set=1\nfwm")
        time.sleep(0.1)
        assert other.ask("get=1").endswith("errno=0\n")
        assert other.ask(f"set=1\npublic_key={key()}") == "errno=0\n"


@scenario(on=fresh)
def clients_that_leave_early(device, _):
    """Clients that go away before or within the answer do no harm."""
    for number in range(40):
        client = Uapi(device.name)
        client.send(("get=1\n\n", "get=1", "set=1\n", "")[number % 4])
        client.socket.close()
    assert get(device.name)[-1] == ("errno", "0")


@scenario(on=fresh)
def long_lines_and_noise(device, _):
    """A line without end, zero bytes and random bytes: refused, and the engine goes on."""
    for data in (b"x" * 300000, b"set=1\nendpoint=" + b"y" * 300000 + b"\n\n", b"\0" * 1000 + b"\n\n",
                 os.urandom(4096), b"set=1\npublic_key=" + b"\xff" * 64 + b"\n\n"):
        client = Uapi(device.name, timeout=2)
        try:
            client.send(data)
            client.end_of_requests()
            assert "errno=0" not in client.answer(), data[:20]
        except (OSError, UnicodeDecodeError):
            pass
        client.socket.close()
    assert get(device.name)[-1] == ("errno", "0")


@scenario(on=fresh)
def the_socket_is_private(device, _):
    """Only root may configure: the socket's mode is 0600, its folder's 0755 or less."""
    mode = stat.S_IMODE(os.stat(device.path).st_mode)
    assert mode & 0o077 == 0, oct(mode)
    assert stat.S_IMODE(os.stat(os.path.dirname(device.path)).st_mode) & 0o022 == 0
    assert stat.S_ISSOCK(os.stat(device.path).st_mode)


@scenario(on=fresh)
def handshake_times_are_wall_clock(device, engines):
    """last_handshake_time is seconds since 1970, not an age."""
    other = device.bed.device(device.namespace, engines.peer)
    for one, port, two in ((device, 4001, other), (other, 4002, device)):
        one.set_key()
        one.wg("listen-port", str(port))
    other.peer(device.public, "allowed-ips", "10.44.0.1/32")
    other.up("10.44.0.2/32")
    device.up("10.44.0.1/32")
    wait_for("both ports are bound", lambda: {4001, 4002} <= device.namespace.bound_ports())
    time.sleep(0.2)
    device.peer(other.public, "endpoint", "127.0.0.1:4002", "allowed-ips", "10.44.0.2/32", "persistent-keepalive", "1")
    peer = hex_key(other.public)
    wait_for("a handshake", lambda: peers(device.name)[peer]["last_handshake_time_sec"] != ["0"], 8)
    values = peers(device.name)[peer]
    assert abs(int(values["last_handshake_time_sec"][0]) - time.time()) < 60, values
    assert 0 <= int(values["last_handshake_time_nsec"][0]) < 10**9, values
    assert int(values["rx_bytes"][0]) >= 92 and int(values["tx_bytes"][0]) >= 148, values


if __name__ == "__main__":
    main(__doc__)
