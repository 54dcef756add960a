#!/usr/bin/python3
"""wgkit monitor --fleet by the real ssh and sshd: a host that answers and one that nobody answers for."""
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from checks import check, failures  # noqa: E402
from tools import missing, need, wgkit  # noqa: E402

MONITOR = os.path.abspath(wgkit("monitor"))
PORT, NOBODY = 2222, 2223
running = []


def apart():
    """Goes on with an own /root, /var/lib, /etc, /run and network."""
    if os.geteuid() != 0:
        missing("root")
    if len(sys.argv) > 1:
        return
    script = ("mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && mount -t tmpfs -o mode=700 tmpfs /root"
              " && mkdir -p /run/wireguard /run/sshd /run/etc/upper /run/etc/work && chmod 755 /run /run/sshd"
              " && mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc"
              " && ip link set lo up && exec \"$@\"")
    os.execvp("unshare", ["unshare", "--net", "--mount", "sh", "-c", script, "sh", sys.executable,
                          os.path.abspath(__file__), "apart"])


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout.strip()


def start(*command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open("/run/log", "ab"))
    running.append(process)


def until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: {what}")
        time.sleep(0.1)


def listens():
    return f":{PORT:04X} " in open("/proc/net/tcp", encoding="ascii").read()


def start_sshd():
    for name in ("sshd", "ssh-keygen"):
        need(name, "openssh-server")
    with open("/etc/passwd", "a+", encoding="utf-8") as file:
        file.seek(0)
        if "\nsshd:" not in file.read():
            file.write("sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
    os.makedirs("/root/.ssh", mode=0o700)
    for path in ("/root/host", "/root/.ssh/id_ed25519"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
    os.rename("/root/.ssh/id_ed25519.pub", "/root/.ssh/authorized_keys")
    with open("/root/.ssh/config", "w", encoding="utf-8") as file:
        file.write("StrictHostKeyChecking accept-new\n")
    with open("/root/sshd", "w", encoding="utf-8") as file:
        file.write(f"Port {PORT}\nListenAddress 127.0.0.1\nHostKey /root/host\nPidFile none\nUsePAM no\n"
                   "PermitRootLogin prohibit-password\nStrictModes no\n"
                   f"SetEnv PATH={os.path.dirname(MONITOR)}:/usr/bin:/bin\n")
    start(need("sshd", "openssh-server"), "-D", "-e", "-f", "/root/sshd")
    until(listens, "sshd listens")


def start_device():
    key = run(need("wg", "wireguard-tools"), "genkey")
    other = run("wg", "pubkey", input=run("wg", "genkey"))
    start(need("wireguard-go", "wireguard-go"), "-f", "wg0")
    until(lambda: os.path.exists("/run/wireguard/wg0.sock"), "a device")
    with open(os.open("/root/key", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(key)
    run("wg", "set", "wg0", "private-key", "/root/key", "peer", other, "endpoint", "127.0.0.1:9", "persistent-keepalive",
        "25", "allowed-ips", "10.0.0.2/32")
    return run("wg", "pubkey", input=key), other


def scenario():
    start_sshd()
    own, other = start_device()
    with open("/root/nodes.yaml", "w", encoding="utf-8") as file:
        file.write(f"""version: 1
network: {{name: home, ipv4: 10.0.0.0/24}}
nodes:
  - {{name: gw, endpoint: 192.0.2.1:51820, public_key: "{own}", ssh: {{host: 127.0.0.1, port: {PORT}, user: root}}}}
  - {{name: db, endpoint: 192.0.2.2:51820, public_key: "{other}", ssh: {{host: 127.0.0.1, port: {NOBODY}, user: root}}}}
""")
    ran = subprocess.run([MONITOR, "--fleet", "/root/nodes.yaml", "--keep", "/root/told"], capture_output=True, text=True, timeout=90, check=False)
    check(ran.returncode == 3, f"status: {ran}")
    check("WARNING: gw says of db: never" in ran.stdout, f"what gw has seen: {ran}")
    check("db cannot be asked: " in ran.stdout and "refused" in ran.stdout, f"db: {ran}")
    check(os.path.exists("/var/lib/wgkit/monitor.state"), "the host keeps its looks")
    with open("/root/told/gw.state", encoding="utf-8") as file:
        check(file.read().startswith("wgkit-monitor-state ") and os.listdir("/root/told") == ["gw.state"], "what is kept")


def main():
    apart()
    began = time.monotonic()
    try:
        scenario()
    finally:
        for process in running:
            process.kill()
            process.wait()
    print(f"{len(failures)} failures in {time.monotonic() - began:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
