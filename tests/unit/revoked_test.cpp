#include "wgkit/revoked.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "wgkit/files.hpp"

using namespace wgkit;

TEST_CASE("revoked keys are read from lines, and comments are not") {
    const test::TemporaryFolder folder;
    const std::string path = folder / "revoked";
    CHECK(read_revoked_keys(path)->empty());
    const auto one = public_key(generate_private_key()), two = public_key(generate_private_key());
    REQUIRE(files::create(path, "# stolen\n\n  " + to_string(one) + " # laptop\n" + to_string(two),
                          0644));
    CHECK(*read_revoked_keys(path) == std::vector{std::min(one, two), std::max(one, two)});
    REQUIRE(files::replace(path, to_string(one) + "\nnonsense\n", 0644));
    CHECK(read_revoked_keys(path).error().message == path + ":2: not a public key");
}
