#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wgkit/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

/// SQLite as the spool needs it: transactions that survive kills, several processes at once.
namespace wgkit::alert {

class Statement;

class Database {
  public:
    /// Opens or makes a file of mode 0600. Errors: permission, system; conflict if it is damaged.
    static Result<Database> open(const std::string& path);

    /// Runs statements without results.
    Result<void> run(const char* sql);
    Result<Statement> prepare(std::string_view sql) const;
    std::int64_t last_id() const;
    std::int64_t changed() const;
    /// What went wrong last; code conflict if the file is damaged.
    Error error() const;

  private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    std::unique_ptr<sqlite3, Close> handle_;
    std::string path_;
};

/// One prepared statement. Parameters are bound in order; columns count from 0.
class Statement {
  public:
    Statement(sqlite3_stmt* handle, const Database& database);

    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view value);
    /// The next row: true; none is left: false.
    Result<bool> step();
    /// Steps to the end and makes it ready for new parameters.
    Result<void> done();
    void reset();

    std::int64_t number(int column) const;
    std::string text(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    const Database* database_;
    int bound_ = 0;
};

/// A change of all or nothing: rolled back unless it was committed.
class Transaction {
  public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

  private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

} // namespace wgkit::alert
