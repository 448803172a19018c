// QueueFile: the queues of the embedded broker as they lie on disk.
//
// Two tables: `messages` waits to be delivered, `delayed` waits for its time. Leases are not kept: what was
// leased when a process ended is there again for the next. Every record carries a checksum; one that does not
// hold is moved to `damaged` with a line in the log, and never served. Commit thread only
// (base/commit_thread.h), in its transactions; failures of SQLite leave as its exceptions.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "broker_adapters/embedded/queue_record.h"

namespace llm_router {

// A message as it is read back.
struct Stored {
  Stored() = default;

  Place place;
  std::string record;
};

// What there is of a queue when the file is opened.
struct QueueCount {
  QueueCount() = default;

  std::string name;
  int64_t id = 0;
  uint64_t messages = 0;
  uint64_t delayed = 0;
  uint64_t last_sequence = 0;
  uint64_t dead = 0;   // that used up their deliveries, so far
  uint64_t bytes = 0;  // of the records of the first two
};

class QueueFile {
 public:
  // Makes the tables where they are not there; data_loss for a file of a later version.
  static absl::StatusOr<std::unique_ptr<QueueFile>> Open(SQLite::Database& database);

  // As it was opened.
  const std::vector<QueueCount>& counts() const { return counts_; }
  int64_t first_due() const { return first_due_; }

  // The earliest time a delayed message is due (Unix ns), 0 when there is none.
  int64_t NextDue();

  // A transaction was taken back: what it made is forgotten.
  void RolledBack();

  // The number of a queue, made where it is not there.
  int64_t QueueId(const std::string& name);

  // Appends to a queue, and says where it stands there.
  Place Add(int64_t queue, const std::string& record, int64_t expires, int deliveries);
  void AddDelayed(int64_t queue, const std::string& record, int64_t due, int64_t expires, int deliveries);
  void Erase(int64_t id);

  // Up to `most` messages of a queue after `after`, in order, of about `most_bytes`.
  struct Page {
    std::vector<Stored> messages;
    size_t damaged = 0;  // set aside on the way
    bool more = true;
  };
  Page Read(int64_t queue, int64_t after, size_t most, size_t most_bytes);

  // Moves up to `most` messages whose time has come to their queues.
  struct Released {
    std::string queue;
    Stored stored;
  };
  std::vector<Released> ReleaseDue(int64_t now, size_t most);

  // Removes up to `most` messages that expired.
  struct Expired {
    std::string queue;
    int64_t id = 0;
    size_t bytes = 0;
  };
  std::vector<Expired> EraseExpired(int64_t now, size_t most);

  // One more of the queue's messages used up its deliveries.
  void CountDead(int64_t queue);

  // Removes every message of a queue but those in `kept`, the delayed ones too; how many.
  uint64_t Purge(int64_t queue, const absl::flat_hash_set<int64_t>& kept);

 private:
  explicit QueueFile(SQLite::Database& database);

  void Count();
  uint64_t NextSequence(int64_t queue);
  bool IsWhole(int64_t queue, const Place& place, int64_t due, uint32_t checksum, const std::string& record);
  void SetAside(const char* table, int64_t id);

  struct Known {
    std::string name;
    uint64_t last_sequence = 0;
  };

  SQLite::Database& database_;
  std::vector<QueueCount> counts_;
  int64_t first_due_ = 0;
  std::map<int64_t, Known> queues_;
  std::map<std::string, int64_t, std::less<>> ids_;
  std::vector<int64_t> made_;  // queues, perhaps not yet committed
  int64_t last_id_ = 0;
  SQLite::Statement insert_;
  SQLite::Statement insert_delayed_;
  SQLite::Statement erase_;
  SQLite::Statement erase_delayed_;
  SQLite::Statement read_;
  SQLite::Statement read_due_;
  SQLite::Statement next_due_;
  SQLite::Statement set_sequence_;
  SQLite::Statement count_dead_;
};

}  // namespace llm_router
