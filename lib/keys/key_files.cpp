#include "wgkit/key_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/file_set.hpp"
#include "wgkit/files.hpp"

namespace wgkit {

namespace {

SecretString line(std::string_view key) {
    SecretString text(key);
    text += '\n';
    return text;
}

Result<std::vector<std::string>> names_of(const KeyFilesRequest& request) {
    std::vector<std::string> names;
    if (!request.count) names.push_back(request.name);
    const auto width = fmt::formatted_size("{}", request.count.value_or(0));
    for (std::uint32_t i = 1; i <= request.count.value_or(0); ++i)
        names.push_back(fmt::format("{}-{:0{}}", request.name, i, width));
    for (const auto& name : {request.name, names.empty() ? std::string() : names.back()})
        if (!ascii::is_dns_label(name))
            return Error{Errc::invalid, fmt::format("'{}' cannot name key files", name),
                         "a name is 1 to 63 letters, digits and inner hyphens"};
    return names;
}

/// Makes the last part of a path and takes it away again, if it stays empty.
class Folder {
  public:
    explicit Folder(std::string path) : path_(std::move(path)) {}
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        if (made_) ::rmdir(path_.c_str()); // refused if there is anything in it
    }

    Result<void> make() {
        made_ = ::mkdir(path_.c_str(), 0700) == 0;
        if (made_ || errno == EEXIST) return {};
        return errno_error(fmt::format("cannot make folder {}", path_));
    }

  private:
    std::string path_;
    bool made_ = false;
};

} // namespace

KeySet generate_key_set(bool with_preshared_key) {
    PrivateKey key = generate_private_key();
    PublicKey its_public_key = public_key(key);
    KeySet set{std::move(key), its_public_key, std::nullopt};
    if (with_preshared_key) set.preshared_key = generate_preshared_key();
    return set;
}

Result<PrivateKey> read_private_key(const std::string& path, bool allow_open) {
    auto text = files::read_secret(path, allow_open);
    if (!text) return std::move(text).error();
    const std::string where = path == "-" ? "standard input" : path;
    const std::string_view all = *text;
    const auto tail = all.substr(std::min(all.size(), key_base64_length));
    const auto is_padding = [](char c) { return c == '\0' || ascii::is_space(c); };
    if (!std::all_of(tail.begin(), tail.end(), is_padding))
        return Error{Errc::invalid, where + ": trailing characters found after the key",
                     "a key is one line of 44 characters"};
    auto key = parse_private_key(all.substr(0, key_base64_length));
    if (!key) {
        key.error().message = where + ": " + key.error().message;
        key.error().hint = "`wgkit keygen genkey` makes a private key";
    }
    return key;
}

Result<std::vector<KeyFiles>> write_key_files(const KeyFilesRequest& request) {
    const auto names = names_of(request);
    if (!names) return names.error();
    if (request.folder.empty())
        return Error{Errc::invalid, "the folder for key files has no name", "`.` is this folder"};
    const std::string prefix = request.folder.back() == '/' ? request.folder : request.folder + '/';

    std::vector<KeyFiles> made;
    std::vector<files::NewFile> set;
    for (const auto& name : *names) {
        const KeySet keys = generate_key_set(request.preshared_key);
        const std::string base = prefix + name;
        auto& files =
            made.emplace_back(KeyFiles{name, keys.public_key, base + ".key", base + ".pub", {}});
        set.push_back({files.private_key_path, line(reveal_base64(keys.private_key)), 0600, false});
        if (keys.preshared_key) {
            files.preshared_key_path = base + ".psk";
            set.push_back(
                {files.preshared_key_path, line(reveal_base64(*keys.preshared_key)), 0600, false});
        }
        set.push_back({files.public_key_path, line(to_string(keys.public_key)), 0644, true});
    }

    Folder folder(request.folder);
    if (auto there = folder.make(); !there) return std::move(there).error();
    auto written = files::write_set(
        request.folder, set, request.overwrite ? files::Overwrite::yes : files::Overwrite::no);
    if (!written) return std::move(written).error();
    return made;
}

} // namespace wgkit
