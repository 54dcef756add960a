#include "alert/database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <utility>

#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"

namespace wgkit::alert {

namespace {

constexpr int wait_for_others_ms = 20'000;

int length(std::string_view text) { return static_cast<int>(text.size()); }

} // namespace

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close(handle); }
void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Error Database::error() const {
    const int code = sqlite3_extended_errcode(handle_.get());
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return {Errc::conflict, fmt::format("{} is damaged", path_), {}};
    case SQLITE_FULL:
        return {Errc::system, fmt::format("cannot write {}: disk full", path_), {}};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return {Errc::permission, fmt::format("cannot open {} for writing", path_),
                "the folder and its files must belong to the user that runs wgkit"};
    case SQLITE_BUSY:
        return {Errc::system, fmt::format("another process holds {} locked", path_), {}};
    default:
        return {Errc::system,
                fmt::format("{}: {} ({})", path_, sqlite3_errmsg(handle_.get()), code),
                {}};
    }
}

Result<Database> Database::open(const std::string& path) {
    // Made here, so that its mode does not hang on the umask; SQLite's other files take it over.
    const UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!made) return errno_error(fmt::format("cannot open {}", path));
    Database database;
    database.path_ = path;
    sqlite3* handle = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &handle,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    database.handle_.reset(handle);
    if (opened != SQLITE_OK) return database.error();
    sqlite3_busy_timeout(handle, wait_for_others_ms);
    // FULL: a committed message is on disk, also after a power cut.
    auto prepared = database.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
    if (!prepared) return std::move(prepared).error();
    return database;
}

Result<void> Database::run(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) const {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql.data(), length(sql), &statement, nullptr)
        != SQLITE_OK)
        return error();
    return Statement(statement, *this);
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
std::int64_t Database::changed() const { return sqlite3_changes64(handle_.get()); }

Statement::Statement(sqlite3_stmt* handle, const Database& database)
    : handle_(handle), database_(&database) {}

Statement& Statement::bind(std::int64_t value) {
    sqlite3_bind_int64(handle_.get(), ++bound_, value);
    return *this;
}

Statement& Statement::bind(std::string_view value) {
    sqlite3_bind_text(handle_.get(), ++bound_, value.data(), length(value), SQLITE_TRANSIENT);
    return *this;
}

Result<bool> Statement::step() {
    const int stepped = sqlite3_step(handle_.get());
    if (stepped == SQLITE_ROW) return true;
    if (stepped == SQLITE_DONE) return false;
    return database_->error();
}

Result<void> Statement::done() {
    while (true) {
        auto more = step();
        if (!more) {
            auto failed = std::move(more).error();
            reset();
            return failed;
        }
        if (!*more) break;
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(handle_.get());
    bound_ = 0;
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

std::string Statement::text(int column) const {
    const auto* data = sqlite3_column_blob(handle_.get(), column);
    const auto size = sqlite3_column_bytes(handle_.get(), column);
    return data == nullptr
               ? std::string()
               : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

Result<Transaction> Transaction::begin(Database& database) {
    auto begun = database.run("BEGIN IMMEDIATE");
    if (!begun) return std::move(begun).error();
    return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
    if (database_ != nullptr) static_cast<void>(database_->run("ROLLBACK").has_value());
}

Result<void> Transaction::commit() {
    auto committed = database_->run("COMMIT");
    if (committed) database_ = nullptr;
    return committed;
}

} // namespace wgkit::alert
