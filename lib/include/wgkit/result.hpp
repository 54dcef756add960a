#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace wgkit {

/// What kind of failure an Error is; programs map it to exit statuses, people read the message.
enum class Errc {
    invalid,    ///< input breaks its grammar or a rule
    not_found,  ///< a file, node or interface that must exist does not
    exists,     ///< something that must not be overwritten is there
    permission, ///< access refused, or a secret file open to others
    conflict,   ///< the world is not in the state that the caller planned for
    system,     ///< the kernel or a library failed
};

/// A failure the world caused. Never holds a secret.
struct Error {
    Errc code = Errc::system;
    std::string message; ///< lower case, no full stop: what and where (file:line:col)
    std::string hint;    ///< what to do about it; may be empty
};

/// A value or an Error. The subset of std::expected's names that wgkit uses, so that it can become
/// an alias once the oldest supported standard library has <expected>.
template <class T>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    /// Whether there is a value.
    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& operator*() & { return std::get<0>(state_); }
    const T& operator*() const& { return std::get<0>(state_); }
    T&& operator*() && { return std::get<0>(std::move(state_)); }
    T* operator->() { return &std::get<0>(state_); }
    const T* operator->() const { return &std::get<0>(state_); }

    /// Only if there is no value.
    Error& error() & { return std::get<1>(state_); }
    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

    /// The value, or `fallback`.
    template <class U>
    T value_or(U&& fallback) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
    }

    /// Calls `next(value)`, which returns a Result itself, or passes the error on.
    template <class F>
    auto and_then(F&& next) && -> std::invoke_result_t<F, T&&> {
        if (has_value()) return std::forward<F>(next)(std::get<0>(std::move(state_)));
        return std::get<1>(std::move(state_));
    }

    /// Replaces the value by `map(value)`, or passes the error on.
    template <class F>
    auto transform(F&& map) && -> Result<std::invoke_result_t<F, T&&>> {
        if (has_value()) return std::forward<F>(map)(std::get<0>(std::move(state_)));
        return std::get<1>(std::move(state_));
    }

  private:
    std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
  public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    /// Whether it went well.
    bool has_value() const noexcept { return !error_; }
    explicit operator bool() const noexcept { return has_value(); }

    /// Only if it did not go well.
    Error& error() & { return *error_; }
    const Error& error() const& { return *error_; }
    Error&& error() && { return *std::move(error_); }

  private:
    std::optional<Error> error_;
};

} // namespace wgkit
