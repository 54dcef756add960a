"""The virtual machine itself: it has WireGuard, says what a script printed, and fails loudly."""
import sys

from guest import Guest, sections


def test_wireguard_is_there():
    output = Guest(["wg"]).run("ip link add wg0 type wireguard\n"
                               "section port wg set wg0 listen-port 1234\n"
                               "section show wg show wg0 listen-port\n")
    assert sections(output) == {"port": "", "show": "1234\n"}, output


def test_a_failing_script_fails_the_test():
    try:
        Guest(modules=()).run("echo before\nip link add nonsense type nonsense\necho after\n")
    except AssertionError as error:
        assert "before" in str(error) and "after\n" not in str(error), error
        return
    sys.exit("a failing script went unnoticed")


if __name__ == "__main__":
    test_wireguard_is_there()
    test_a_failing_script_fails_the_test()
    print("ok")
