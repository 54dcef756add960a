#!/usr/bin/python3
"""The line for cron as README has it, run as cron runs it, with a real device whose peer is cut off: one message to
Slack, none while it stays so, one when it is over, none lost while Slack is down; and no mail while all is well."""
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from checks import check, failures  # noqa: E402
from receiver import OK, Receiver  # noqa: E402
from tools import ROOT, missing, need, wgkit  # noqa: E402


def line_of_readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return re.search(r"^\*/2 \* \* \* \* (wgkit monitor .*)$", file.read(), re.MULTILINE)[1]


def apart():
    """Goes on with an own /var/lib, /etc/wgkit, /run and network."""
    if os.geteuid() != 0:
        missing("root")
    if len(sys.argv) > 1:
        return
    script = ("mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && mkdir -p /run/wireguard /run/etc/upper /run/etc/work"
              " && mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc"
              " && ip link set lo up && exec \"$@\"")
    os.execvp("unshare", ["unshare", "--net", "--mount", "sh", "-c", script, "sh", sys.executable,
                          os.path.abspath(__file__), "apart"])


def cron(line):
    """As cron does it: a shell, few variables, no terminal."""
    environment = {"PATH": f"{os.path.dirname(os.path.abspath(wgkit('monitor')))}:/usr/bin:/bin", "HOME": "/root",
                   "SHELL": "/bin/sh", "LOGNAME": "root"}
    return subprocess.run(["/bin/sh", "-c", line], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=100, check=False)


def wg(*arguments, **more):
    return subprocess.run([need("wg", "wireguard-tools"), *arguments], check=True, capture_output=True, text=True,
                          **more).stdout.strip()


class Pair:
    """Two userspace devices on loopback that keep each other alive."""

    def __init__(self, folder):
        self.engine = need("wireguard-go", "wireguard-go")
        self.processes, self.folder = [], folder
        self.keys = [wg("genkey") for _ in range(2)]
        self.public = [wg("pubkey", input=key) for key in self.keys]
        for number in range(2):
            self.start(number)
        subprocess.run(["ip", "address", "add", "10.9.0.1/24", "dev", "wg0"], check=True)

    def start(self, number):
        name = f"wg{number}"
        process = subprocess.Popen([self.engine, "-f", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        end = time.monotonic() + 20
        while not os.path.exists(f"/run/wireguard/{name}.sock") and time.monotonic() < end:
            time.sleep(0.05)
        path = f"{self.folder}/{name}.key"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(self.keys[number])
        wg("set", name, "private-key", path, "listen-port", str(51000 + number), "peer", self.public[1 - number],
           "endpoint", f"127.0.0.1:{51001 - number}", "persistent-keepalive", "1", "allowed-ips", f"10.9.0.{2 - number}/32")
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        return process

    def has_session(self):
        return all(int(line.split("\t")[-1]) > 0 for number in range(2)
                   for line in wg("show", f"wg{number}", "latest-handshakes").splitlines())

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


def scenario(pair):
    # Only one of the devices is this machine's; the other stands for the peer.
    line = line_of_readme().replace("wgkit monitor", "wgkit monitor --interface wg0", 1)
    os.makedirs("/etc/wgkit", exist_ok=True)

    def write_url(url):
        with open(os.open("/etc/wgkit/slack", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(url + "\n")

    with Receiver() as slack:
        write_url(slack.url)
        end = time.monotonic() + 30
        while not pair.has_session() and time.monotonic() < end:
            time.sleep(0.1)
        ran = cron(line)
        check((ran.returncode, ran.stdout + ran.stderr) == (0, ""), f"all is well, no mail: {ran}")
        check(os.stat("/var/lib/wgkit/monitor.state").st_mode & 0o777 == 0o640, "the state's mode")
        pair.processes[1].kill()
        pair.processes[1].wait()
        cron(line)
        traffic = subprocess.Popen([need("ping", "iputils-ping"), "-q", "-w", "100", "10.9.0.2"],
                                   stdout=subprocess.DEVNULL)
        pair.processes.append(traffic)
        time.sleep(17)  # data unanswered for 15 s, and two looks 16 s apart, are what it takes
        wait_until = time.monotonic() + 60
        while cron(line).returncode != 2 and time.monotonic() < wait_until:
            time.sleep(3)
        check(len(slack.requests) == 1, f"{len(slack.requests)} messages about one cut")
        if slack.requests:
            text = slack.requests[0].body.decode()
            check(pair.public[1][:40] in text and "wg0" in text and "unreachable" in text, f"the message: {text}")
        traffic.kill()
        ran = cron(line)
        check(ran.returncode == 2 and ran.stdout.startswith("ALERT: peer ") and len(slack.requests) == 1,
              f"it stays so: mail, and no second message: {ran}")
    down = cron(line)  # nobody listens any more
    check(down.returncode == 2 and slack.url[-16:] not in down.stdout + down.stderr, f"Slack is down: {down}")
    os.remove("/run/wireguard/wg1.sock") if os.path.exists("/run/wireguard/wg1.sock") else None
    pair.start(1)
    end = time.monotonic() + 60
    while cron(line).returncode != 0 and time.monotonic() < end:
        time.sleep(2)  # told to nobody, for Slack is still down
    with Receiver([OK]) as slack:
        write_url(slack.url)
        end = time.monotonic() + 60
        while not slack.requests and time.monotonic() < end:
            cron(line)  # what waits is sent by a later run
            time.sleep(1)
        check(len(slack.requests) == 1 and "RESOLVED" in slack.requests[0].body.decode().upper(),
              f"the end of it: {[one.body for one in slack.requests]}")


def main():
    apart()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(folder)
        try:
            scenario(pair)
        finally:
            pair.end()
    print(f"{len(failures)} failures in {time.monotonic() - began:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
