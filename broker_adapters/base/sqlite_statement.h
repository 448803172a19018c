// What a prepared statement needs besides SQLiteCpp: blobs as strings, and an end to each use. On the thread
// that uses the file.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace llm_router {

inline std::string BlobOf(const SQLite::Column& column) {
  return std::string(static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes()));
}

// `bytes` stay where they are until the statement was used.
inline void BindBlob(SQLite::Statement& statement, int index, const std::string& bytes) {
  statement.bindNoCopy(index, bytes.data(), static_cast<int>(bytes.size()));
}

// A statement that is done and can be bound again, whatever happens in between.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) : statement_(statement) {}
  ~Use() {
    (void)statement_.tryReset();
    try {
      statement_.clearBindings();
    } catch (const SQLite::Exception&) {  // the next step says what is wrong
    }
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  SQLite::Statement& statement_;
};

}  // namespace llm_router
