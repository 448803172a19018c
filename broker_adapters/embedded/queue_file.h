// QueueFile: the queues of the embedded broker as they lie on disk.
//
// Two tables: `messages` waits to be delivered, `delayed` waits for its time. Leases are not kept: what was
// leased when a process ended is there again for the next. Every record carries a checksum; one that does not
// hold is moved to `damaged` with a line in the log, and never served. Where the file itself contradicts
// itself it leaves as an exception with SQLITE_CORRUPT (base/sqlite_repair.h mends that). Commit thread only
// (base/commit_thread.h), in its transactions; failures of SQLite leave as its exceptions.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
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
  // Makes the tables where they are not there; data_loss for a file of a later version, damage
  // (base/sqlite.h) for one that is to be repaired.
  static absl::StatusOr<std::unique_ptr<QueueFile>> Open(SQLite::Database& database);

  // As it was opened.
  const std::vector<QueueCount>& counts() const { return counts_; }
  int64_t first_due() const { return first_due_; }

  // The earliest time a delayed message is due (Unix ns), 0 when there is none.
  int64_t NextDue();

  // What CommitThread calls: the queues' rows are written once a transaction, and forgotten with it.
  void BeforeCommit();
  void Committed();
  void RolledBack();

  // For about `bytes` more in this transaction: storage_failed when the disk would then have hardly more room
  // than acknowledgements need.
  absl::Status CheckRoom(size_t bytes);

  // The number of a queue, made where it is not there.
  int64_t QueueId(const std::string& name);

  // Appends to a queue, and says where it stands there.
  Place Add(int64_t queue, const std::string& record, int64_t expires, int deliveries);
  void AddDelayed(int64_t queue, const std::string& record, int64_t due, int64_t expires, int deliveries);
  // Whether it was there.
  bool Erase(int64_t id);

  // Up to `most` messages of a queue after `after`, in order, of about `most_bytes`.
  struct Page {
    std::vector<Stored> messages;
    size_t damaged = 0;  // set aside on the way
    size_t damaged_bytes = 0;
    bool more = true;
  };
  Page Read(int64_t queue, int64_t after, size_t most, size_t most_bytes);

  // Moves up to `most` messages whose time has come to their queues.
  struct Released {
    std::string queue;
    Stored stored;
  };
  std::vector<Released> ReleaseDue(int64_t now, size_t most);

  // Removes up to `most` messages that expired and are not in `kept`.
  struct Expired {
    std::string queue;
    int64_t id = 0;
    size_t bytes = 0;
  };
  std::vector<Expired> EraseExpired(int64_t now, size_t most, const absl::flat_hash_set<int64_t>& kept);

  // One more of the queue's messages used up its deliveries.
  void CountDead(int64_t queue);

  // A purge goes in steps, each a transaction: first what is delayed, then what waits but for `kept`. What is
  // sent while it goes on may stay.
  struct Purge {
    Purge() = default;

    bool delayed_done = false;
    bool done = false;
    int64_t after = 0;                              // messages up to here are gone
    int64_t up_to = 0;                              // the last one there was; 0 = not known yet
    uint64_t messages = 0, delayed = 0, bytes = 0;  // removed by this step
  };
  // The step after `purge`, of up to `most` messages.
  Purge PurgeMore(int64_t queue, Purge purge, const absl::flat_hash_set<int64_t>& kept, size_t most);

 private:
  struct Row;
  struct Known {
    std::string name;
    uint64_t last_sequence = 0;
    uint64_t dead = 0;
  };

  explicit QueueFile(SQLite::Database& database);

  void FindRoom();
  void CountQueues();
  void CountMessages(const char* select, uint64_t QueueCount::* count);
  void FindLast(const char* table, SQLite::Statement& fetch, bool is_delayed);
  Known& Change(int64_t queue);
  std::optional<Row> Fetch(SQLite::Statement& fetch, int64_t id);
  bool SetAsideIfDamaged(const Row& row, bool is_delayed);
  std::vector<int64_t> Ids(SQLite::Statement& find);
  size_t EraseDelayedOf(int64_t queue, size_t most, uint64_t& bytes);

  SQLite::Database& database_;
  std::vector<QueueCount> counts_;
  int64_t first_due_ = 0;
  std::map<int64_t, Known> queues_;
  absl::flat_hash_map<std::string, int64_t> ids_;
  std::map<int64_t, std::optional<Known>> before_;  // the queues this transaction changed, as they were
  int64_t last_id_ = 0;
  std::optional<uint64_t> room_;  // bytes that sends may take, as this transaction sees it
  SQLite::Statement insert_;
  SQLite::Statement insert_delayed_;
  SQLite::Statement erase_;
  SQLite::Statement erase_delayed_;
  SQLite::Statement read_;
  SQLite::Statement due_;
  SQLite::Statement next_due_;
  SQLite::Statement fetch_;
  SQLite::Statement fetch_delayed_;
  SQLite::Statement put_queue_;
  SQLite::Statement free_pages_;
};

// Whether a queue's row is as it was written.
uint32_t QueueChecksum(int64_t id, const std::string& name, uint64_t last_sequence, uint64_t dead);

}  // namespace llm_router
