#include "config/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/field.hpp"
#include "config/value.hpp"
#include "util/ascii.hpp"

namespace wgkit::config {

namespace {

/// A word that can be shown: a pasted key in its place would be longer or hold other characters.
bool looks_like_key_name(std::string_view text) {
    constexpr std::size_t longest = 24; // PersistentKeepalive has 19
    return text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) {
               return ascii::is_alnum(c) || c == ' ' || c == '_' || c == '-';
           });
}

std::string nearest_key(std::string_view word, Section section, Dialect dialect) {
    std::vector<std::string_view> names;
    for (const auto& key : all_keys())
        if (key.section == section && (dialect == Dialect::wg_quick || !key.quick_only))
            names.push_back(key.name);
    const auto name = ascii::nearest(word, names);
    return name ? fmt::format("did you mean {}?", *name) : std::string();
}

std::string_view section_name(Section section) {
    return section == Section::interface ? "[Interface]" : "[Peer]";
}

} // namespace

void Parser::read(const Line& line) {
    switch (line.kind) {
    case Line::Kind::blank:
        if (line.comment)
            pending_.emplace_back(*line.comment);
        else
            before_blank_ = pending_.size();
        break;
    case Line::Kind::section:
        header(line);
        break;
    case Line::Kind::field:
        field(line);
        break;
    case Line::Kind::other:
        diagnostics_
            .error("not-a-field", line.mark(line.text), "line is neither [Section] nor Key = value")
            .hint = "comments begin with '#'";
        break;
    }
}

void Parser::finish() { comments_to_end(pending_.size()); }

SectionComments& Parser::section_comments() {
    return section_ == Section::peer && !config_.peers.empty() ? config_.peers.back().comments
                                                               : config_.interface.comments;
}

std::vector<std::string> Parser::take_pending() {
    before_blank_ = 0;
    return std::exchange(pending_, {});
}

void Parser::comments_to_end(std::size_t count) {
    const auto stop = pending_.begin() + static_cast<std::ptrdiff_t>(count);
    auto& target = section_ == Section::none ? config_.comments : section_comments().end;
    target.insert(target.end(), pending_.begin(), stop);
    pending_.erase(pending_.begin(), stop);
    before_blank_ = 0;
}

void Parser::header(const Line& line) {
    const auto name = squeeze(line.text);
    const Mark mark = line.mark(line.text);
    comments_to_end(before_blank_);
    has_fields_ = false;
    if (ascii::iequals(name, "[Peer]")) {
        section_ = Section::peer;
        config_.peers.emplace_back().mark = mark;
    } else if (ascii::iequals(name, "[Interface]")) {
        section_ = Section::interface;
        quick_sees_section_ = name.size() == line.text.size();
        if (config_.interface.mark.line != 0) {
            // A second [Interface] goes on with the first: its comments go to its next field.
            has_fields_ = true;
            if (line.comment && !line.comment->empty()) pending_.emplace_back(*line.comment);
            return;
        }
        config_.interface.mark = mark;
    } else {
        section_ = Section::unknown;
        auto& finding = diagnostics_.error("unknown-section", mark,
                                           "section is neither [Interface] nor [Peer]");
        const auto meant = ascii::nearest(name, {"[Interface]", "[Peer]"});
        if (meant) finding.hint = fmt::format("did you mean {}?", *meant);
        return;
    }
    auto& comments = section_comments();
    comments.above = take_pending();
    if (line.comment) comments.beside = std::string(*line.comment);
}

void Parser::unknown_key(const Line& line) {
    const bool safe = looks_like_key_name(line.key);
    auto& finding = diagnostics_.error(
        "unknown-key", line.mark(line.text),
        safe ? fmt::format("unknown key '{}' in {}", line.key, section_name(section_))
             : fmt::format("unknown key in {}", section_name(section_)));
    if (safe) finding.hint = nearest_key(line.key, section_, options_.dialect);
}

const KeyInfo* Parser::key_of(const Line& line) {
    if (section_ == Section::unknown) return nullptr; // the header is reported already
    const Mark mark = line.mark(line.text);
    const auto* key = find_key(squeeze(line.key));
    if (section_ == Section::none) {
        diagnostics_.error("no-section", mark, "field stands before any section").hint =
            fmt::format("put {} above it",
                        section_name(key != nullptr ? key->section : Section::interface));
        return nullptr;
    }
    // wg-quick takes white space around its keys, but not within.
    const bool spaced = key != nullptr && key->quick_only && key->name.size() != line.key.size();
    if (key == nullptr || spaced) {
        unknown_key(line);
        return nullptr;
    }
    if (key->section != section_) {
        diagnostics_
            .error("wrong-section", mark,
                   fmt::format("{} stands in {}", key->name, section_name(section_)))
            .hint = fmt::format("it belongs to {}", section_name(key->section));
        return nullptr;
    }
    if (key->quick_only && options_.dialect == Dialect::wg) {
        diagnostics_.error("wg-quick-key", mark, fmt::format("wg does not know {}", key->name))
            .hint = "only wg-quick reads it; `wg-quick strip` leaves it out";
        return nullptr;
    }
    if (key->quick_only && !quick_sees_section_) {
        diagnostics_
            .error("spaced-section", mark,
                   fmt::format("wg-quick does not see {}, because white space is in the section's "
                               "header",
                               key->name))
            .hint = "write [Interface]";
        return nullptr;
    }
    return key;
}

Comments Parser::comments_for(const Line& line, const KeyInfo& key) {
    if (!has_fields_) section_comments().below = take_pending();
    Comments comments{take_pending(), {}};
    if (line.comment && !is_hook(key.key)) comments.beside = std::string(*line.comment);
    return comments;
}

void Parser::field(const Line& line) {
    const auto* key = key_of(line);
    if (key == nullptr) return;
    const auto value = is_hook(key->key) ? line.value_with_hash() : line.value;
    if (value.empty()) {
        if (line.comment) pending_.emplace_back(*line.comment);
        if (key->quick_only) {
            diagnostics_
                .warning("empty-value", line.mark(line.text),
                         fmt::format("{} has no value and does nothing", key->name))
                .hint = "remove the line";
        } else {
            diagnostics_
                .error("empty-value", line.mark(line.text),
                       fmt::format("{} has no value", key->name))
                .hint = "remove the line, or write what it should be";
            if (key->key == Key::public_key) // there, though empty: not missing as well
                config_.peers.back().origins.at(key->key).mark = line.mark(line.text);
        }
        return;
    }
    Field field{*key, line, value, comments_for(line, *key)};
    has_fields_ = true;
    if (key->section == Section::interface)
        read_field(std::move(field), config_.interface, diagnostics_);
    else
        read_field(std::move(field), config_.peers.back(), diagnostics_);
}

} // namespace wgkit::config
