"""A virtual machine that Debian's own systemd runs, from a disk that outlives its boots. wgkit is installed on it as
`cmake --install` does it, with its units.

    machine = SystemdGuest(programs=["wg"])
    machine.disk.file("etc/wireguard/wg0.conf", text, 0o600)
    output = machine.boot("systemctl enable --now wgkit@wg0")
    output = machine.boot("wg show wg0")  # the same machine, a boot later

A script runs under `sh -e` as a service, once the machine has booted; then the machine shuts down in order. Without
udev there are no device units.
"""
import os
import shutil
import subprocess
import tempfile

from guest import PACKAGES, TOOLS, Guest, Tree, boot, find_program, missing

BIN = os.environ.get("WGKIT_BIN", "build/dev/bin")
# Generators look for disks, terminals and the like: there are none.
UNNEEDED = shutil.ignore_patterns("doc", "man", "locale", "catalog", "bash-completion", "zsh", "bug", "lintian",
                                  "system-generators", "pkgconfig")

JOB_SERVICE = """[Unit]
Description=The script of the test
After=multi-user.target
SuccessAction=reboot
FailureAction=reboot
[Service]
Type=oneshot
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root NO_COLOR=1
ExecStart=/bin/sh -ex -c '. /functions; . /job'
ExecStopPost=/bin/sh -c '[ "$$EXIT_STATUS" = 0 ] || { tail -n 20 /run/trace; journalctl --no-pager -o cat -n 40; }; \
  echo "@@@ job ended: $$EXIT_STATUS"'
StandardOutput=file:/dev/ttyS1
StandardError=file:/run/trace
TimeoutStartSec=infinity
"""
JOB_TARGET = "[Unit]\nRequires=multi-user.target\nWants=job.service\nAfter=multi-user.target\nAllowIsolate=yes\n"
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    "etc/hosts": "127.0.0.1 localhost guest\n",
    "etc/hostname": "guest\n",
    "etc/os-release": "ID=debian\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/systemd/system/job.service": JOB_SERVICE,
    "etc/systemd/system/job.target": JOB_TARGET,
    # networkd waits for udev wherever it could be: not where /sys cannot be written.
    "etc/systemd/system/systemd-networkd.service.d/no-udev.conf": "[Service]\nReadOnlyPaths=/sys\n"}
OFF = ("getty.target", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "hwclock.service",
       "systemd-timesyncd.service", "systemd-ask-password-wall.path", "systemd-ask-password-console.path",
       "dev-hugepages.mount", "dev-mqueue.mount", "kmod-static-nodes.service", "systemd-user-sessions.service",
       "remote-fs.target", "systemd-tmpfiles-clean.timer", "systemd-logind.service", "modprobe@.service",
       "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "systemd-modules-load.service", "systemd-sysctl.service",
       "systemd-random-seed.service", "systemd-initctl.socket", "systemd-journald-audit.socket")


class Disk(Tree):
    """A folder that will be the root file system, laid out as Debian's."""

    def __init__(self, folder):
        self.root = folder
        for name in ("bin", "sbin", "lib", "lib64"):
            os.makedirs(os.path.join(folder, "usr", name))
            os.symlink("usr/" + name, os.path.join(folder, name))
        for name in ("proc", "sys", "dev", "run", "tmp", "root", "var/lib", "var/tmp", "var/log", "home"):
            os.makedirs(os.path.join(folder, name))
        os.symlink("/run", os.path.join(folder, "var/run"))

    def has(self, path):
        return os.path.lexists(self.path(path))

    def path(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def file(self, path, data, mode=0o644):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            os.fchmod(file.fileno(), mode)

    def link(self, path, target):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        os.symlink(target, self.path(path))


class SystemdGuest:
    """`programs` by name or absolute path, `modules` by name, as those of Guest."""

    PROGRAMS = ("sh", "mount", "umount", "cat", "mkdir", "ln", "sleep", "ip", "rm", "cp", "mv", "grep", "sed", "kill",
                "test", "true", "touch", "wg", "chmod", "tail")

    def __init__(self, programs=(), modules=("wireguard",)):
        self.work = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.disk = Disk(os.path.join(self.work.name, "root"))
        self.image = None
        self.loader = Guest(("switch_root",), ("virtio_pci", "virtio_blk", *modules), "disk_init",
                            ("sh", "mount", "insmod", "cat", "mkdir"))
        self.install_systemd()
        self.install_wgkit()
        for name in dict.fromkeys([*self.PROGRAMS, *programs]):
            self.install(name)
        with open(os.path.join(os.path.dirname(__file__), "init"), encoding="utf-8") as init:
            functions = init.read().split("<<'END'\n")[1].split("END\n")[0]
        self.disk.file("functions", functions)
        for path, text in FILES.items():
            self.disk.file(path, text)
        for unit in OFF:
            self.disk.link("etc/systemd/system/" + unit, "/dev/null")

    def install(self, name, inside=None):
        path = find_program(name, PACKAGES.get(name, name))
        self.disk.program(path, inside or (name if name.startswith("/") else "/bin/" + name))

    def install_systemd(self):
        source = os.path.join(TOOLS, "systemd")
        if not os.path.isdir(source):
            missing("build/tools/systemd", "systemd")
        shutil.copytree(source, self.disk.root, symlinks=True, dirs_exist_ok=True, ignore=UNNEEDED)
        for folder, _, names in os.walk(source):
            for name in names:
                path = os.path.join(folder, name)
                if os.access(path, os.X_OK) and not os.path.islink(path) and "/doc/" not in path:
                    self.disk.program(path, os.path.relpath(path, source))

    def install_wgkit(self):
        subprocess.run(["cmake", "--install", os.path.dirname(os.path.abspath(BIN)), "--strip"], check=True,
                       env={**os.environ, "DESTDIR": self.disk.root}, stdout=subprocess.DEVNULL)
        for folder in ("usr/local/bin", "usr/local/lib"):  # libraries, too: some are loaded by programs as they run
            for entry in os.scandir(self.disk.path(folder)):
                if entry.is_file(follow_symlinks=False):
                    self.disk.program(entry.path, f"{folder}/{entry.name}")

    def boot(self, script, seconds=120):
        """What the script printed."""
        if not self.image:
            self.image = os.path.join(self.work.name, "disk")
            words = [find_program("mkfs.ext4", "e2fsprogs"), "-q", "-d", self.disk.root, self.image, "600M"]
            # On the disk all is root's, whoever runs this.
            subprocess.run(words if os.getuid() == 0 else ["unshare", "--map-root-user", *words], check=True)
        self.loader.initramfs.file("job", script.encode())
        return boot(self.loader.initramfs, seconds, "systemd.unit=job.target systemd.show_status=no", self.image, 768)
