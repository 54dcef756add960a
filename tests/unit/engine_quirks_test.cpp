// Which kernels must go without which offload.
#include "engine/quirks.hpp"
#include "support/catch.hpp"

using namespace wgkit::engine;

TEST_CASE("the kernel's version is read from its release, whatever follows") {
    const auto is = [](const char* release, KernelVersion version) {
        return kernel_version(release) == version;
    };
    CHECK(is("6.1.0-28-cloud-amd64", {6, 1, 0}));
    CHECK(is("6.12.57+deb13-amd64", {6, 12, 57}));
    CHECK(is("5.10", {5, 10, 0}));
    CHECK(is("7.0-rc1", {7, 0, 0}));
    CHECK(is("7.1.4", {7, 1, 4}));
    CHECK(is("4.9.337-mikrotik", {4, 9, 337}));
    CHECK(is("6.6.87.2-microsoft-standard-WSL2", {6, 6, 87}));
    for (const char* release : {"", "6", "6.", "6-rc1", "linux", "-6.1", ".6.1", "99999999999.1"})
        CHECK_FALSE(kernel_version(release).has_value());
}

TEST_CASE("a kernel outside the table keeps every offload, and one that says nothing, too") {
    for (const char* release : {"5.12.0", "6.1.0-28-amd64", "6.6.44", "6.19.14", "7.1.5", "7.2-rc1",
                                "10.0.1", "unknown"}) {
        const Quirks quirks = quirks_of(release);
        CHECK(quirks.reason.empty());
        CHECK(quirks.works.tun_segmentation);
        CHECK(quirks.works.tun_coalescing);
        CHECK(quirks.works.udp_segmentation);
        CHECK(quirks.works.udp_coalescing);
    }
}

TEST_CASE("kernels that damage trains send datagrams one by one") {
    for (const char* release : {"7.0-rc1", "7.0.0-3-amd64", "7.0.99", "7.1.0", "7.1.4-arch1"}) {
        const Quirks quirks = quirks_of(release);
        CHECK_FALSE(quirks.works.udp_segmentation);
        CHECK(quirks.works.udp_coalescing);
        CHECK(quirks.reason.find("7.1.4") != std::string::npos);
    }
}

TEST_CASE("before Linux 5.12 received datagrams are not joined") {
    for (const char* release : {"4.19.0-27-amd64", "5.10.0-33-amd64", "5.11.22"}) {
        const Quirks quirks = quirks_of(release);
        CHECK_FALSE(quirks.works.udp_coalescing);
        CHECK(quirks.works.udp_segmentation);
        CHECK_FALSE(quirks.reason.empty());
    }
}

TEST_CASE("what is switched off stays off") {
    wgkit::TunnelOffloads wanted;
    wanted.tun_coalescing = false;
    const auto result = both(wanted, quirks_of("7.1.0").works);
    CHECK(result.tun_segmentation);
    CHECK_FALSE(result.tun_coalescing);
    CHECK_FALSE(result.udp_segmentation);
    CHECK(result.udp_coalescing);
}
