#include "wgkit/result.hpp"

#include <memory>

#include "support/catch.hpp"

using namespace wgkit;

static_assert(!std::is_convertible_v<Result<int>, bool>);
static_assert(!std::is_convertible_v<Result<bool>, bool>);

namespace {

Result<int> half(int value) {
    if (value % 2 != 0) return Error{Errc::invalid, "odd", "add one"};
    return value / 2;
}

} // namespace

TEST_CASE("a result is a value or an error") {
    CHECK(*half(4) == 2);
    CHECK(half(4).value_or(9) == 2);
    CHECK(half(3).value_or(9) == 9);
    REQUIRE_FALSE(half(3));
    CHECK(half(3).error().message == "odd");
    CHECK(half(3).error().code == Errc::invalid);
}

TEST_CASE("chains stop at the first error") {
    CHECK(*half(8).and_then(half) == 2);
    CHECK(half(6).and_then(half).error().message == "odd");
    CHECK(half(3).and_then(half).error().hint == "add one");
    CHECK(*half(8).transform([](int value) { return std::to_string(value); }) == "4");
    CHECK_FALSE(half(3).transform([](int value) { return std::to_string(value); }));
}

TEST_CASE("values that only move go through") {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
    CHECK(**result == 7);
    const std::unique_ptr<int> out = *std::move(result);
    CHECK(*out == 7);
}

TEST_CASE("a result without a value is success or an error") {
    CHECK(Result<void>{});
    const Result<void> failed(Error{Errc::exists, "there", {}});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::exists);
}
