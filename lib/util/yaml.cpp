#include "util/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_map>

#include "util/ascii.hpp"

namespace wgkit::yaml {

namespace {

constexpr std::size_t max_values = 1'000'000;

Mark mark_of(const YAML::Mark& mark) {
    return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

std::size_t count_values(const Value& value) {
    std::size_t total = 1;
    for (const auto& item : value.items) total += count_values(item);
    for (const auto& member : value.members) total += count_values(member.value);
    return total;
}

/// Builds the tree from the parser's events. Aliases are copied, within the budget.
class TreeBuilder : public YAML::EventHandler {
  public:
    explicit TreeBuilder(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    Value take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        put(make(Kind::null, mark), anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        const bool plain = tag == "?" || tag.empty();
        const bool null = plain && (text.empty() || text == "~" || text == "null");
        Value value = make(null ? Kind::null : Kind::scalar, mark);
        value.scalar = text;
        put(std::move(value), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto target = anchors_.find(anchor);
        if (target == anchors_.end()) {
            diagnostics_.error("alias-budget", mark_of(mark),
                               "an alias stands inside its own value, or its anchor is too large");
            return put(make(Kind::null, mark), YAML::NullAnchor);
        }
        if (!spend(target->second, mark_of(mark)))
            return put(make(Kind::null, mark), YAML::NullAnchor);
        put(target->second, YAML::NullAnchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open_.push_back({make(Kind::sequence, mark), anchor, {}, {}, false});
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open_.push_back({make(Kind::map, mark), anchor, {}, {}, false});
    }
    void OnMapEnd() override { close(); }

  private:
    struct Open {
        Value value;
        YAML::anchor_t anchor;
        std::string key;
        Mark key_mark;
        bool has_key;
    };

    Value make(Kind kind, const YAML::Mark& mark) {
        ++values_;
        Value value;
        value.kind = kind;
        value.mark = mark_of(mark);
        return value;
    }

    /// Counts a copy of the value against the budget; false if it is too large.
    bool spend(const Value& value, Mark mark) {
        if (!over_budget_) values_ += count_values(value);
        if (values_ > max_values && !over_budget_) {
            over_budget_ = true;
            diagnostics_.error("alias-budget", mark,
                               fmt::format("aliases expand to more than {} values", max_values));
        }
        return !over_budget_;
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        report_duplicates(done.value);
        put(std::move(done.value), done.anchor);
    }

    void put(Value value, YAML::anchor_t anchor) {
        // Anchors within anchors are copied at every level, so they count as aliases do.
        if (anchor != YAML::NullAnchor && spend(value, value.mark)) anchors_[anchor] = value;
        if (open_.empty()) {
            root_ = std::move(value);
            return;
        }
        Open& parent = open_.back();
        if (parent.value.kind == Kind::sequence) {
            parent.value.items.push_back(std::move(value));
        } else if (!parent.has_key) {
            if (value.kind != Kind::scalar)
                diagnostics_.error("wrong-type", value.mark,
                                   fmt::format("a key must be text, not {}", describe(value.kind)));
            parent.key = std::move(value.scalar);
            parent.key_mark = value.mark;
            parent.has_key = true;
        } else {
            parent.value.members.push_back(
                {std::move(parent.key), parent.key_mark, std::move(value)});
            parent.has_key = false;
        }
    }

    /// Keeps the first of several equal keys.
    void report_duplicates(Value& map) {
        std::unordered_map<std::string_view, Mark> seen;
        std::vector<Mark> repeated;
        for (const auto& member : map.members) {
            const auto [first, is_new] = seen.emplace(member.key, member.key_mark);
            if (is_new) continue;
            repeated.push_back(member.key_mark);
            auto& found =
                diagnostics_.error("duplicate-yaml-key", member.key_mark,
                                   fmt::format("'{}' is set twice in this mapping", member.key));
            found.notes.push_back({{}, first->second, "first set here"});
            found.hint = "remove one of the two";
        }
        if (repeated.empty()) return;
        std::erase_if(map.members, [&](const Member& member) {
            return std::find(repeated.begin(), repeated.end(), member.key_mark) != repeated.end();
        });
    }

    Diagnostics& diagnostics_;
    Value root_;
    std::vector<Open> open_;
    std::unordered_map<YAML::anchor_t, Value> anchors_;
    std::size_t values_ = 0;
    bool over_budget_ = false;
};

/// Reads the caller's bytes without copying them.
class ViewBuffer : public std::streambuf {
  public:
    explicit ViewBuffer(std::string_view text) {
        char* begin = const_cast<char*>(text.data()); // streambuf never writes through setg
        setg(begin, begin, begin + text.size());
    }
};

} // namespace

const Value* Value::find(std::string_view key) const {
    for (const auto& member : members)
        if (member.key == key) return &member.value;
    return nullptr;
}

Value parse(std::string_view text, Diagnostics& diagnostics) {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    TreeBuilder builder(diagnostics);
    try {
        YAML::Parser parser(stream);
        parser.HandleNextDocument(builder);
        Value root = builder.take();
        TreeBuilder second(diagnostics);
        if (parser.HandleNextDocument(second))
            diagnostics.error("yaml-syntax", second.take().mark, "the file has a second document");
        return root;
    } catch (const YAML::Exception& broken) {
        diagnostics.error("yaml-syntax", mark_of(broken.mark), broken.msg);
        return {};
    }
}

std::string quote(std::string_view text) {
    const bool plain =
        !text.empty() && (ascii::is_alnum(text.front()) || text.front() == '/')
        && std::all_of(text.begin(), text.end(),
                       [](char c) {
                           return ascii::is_alnum(c)
                                  || std::string_view("-_./+=").find(c) != std::string_view::npos;
                       })
        && text != "null";
    if (plain) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            quoted += c;
    }
    return quoted + '"';
}

std::string_view describe(Kind kind) {
    switch (kind) {
    case Kind::null:
        return "nothing";
    case Kind::scalar:
        return "text";
    case Kind::sequence:
        return "a list";
    case Kind::map:
        return "a mapping";
    }
    return "";
}

} // namespace wgkit::yaml
