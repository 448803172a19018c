#include "broker_adapters/embedded/queue_schema.h"

namespace llm_router {
namespace {

// Whatever is kept is under a checksum, and a file has these and no others, so that a bit that turns around
// anywhere is seen. `bytes` and the indexes can be told from the rest.
constexpr const char* kSchema = R"(
CREATE TABLE queues(
  id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, last_sequence INTEGER NOT NULL, dead INTEGER NOT NULL,
  checksum INTEGER NOT NULL);
CREATE TABLE messages(
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, sequence INTEGER NOT NULL, expires INTEGER NOT NULL,
  deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX messages_of_queue ON messages(queue, id, bytes);
CREATE INDEX messages_expiring ON messages(expires) WHERE expires>0;
CREATE TABLE delayed(
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, due INTEGER NOT NULL, expires INTEGER NOT NULL,
  deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX delayed_by_due ON delayed(due, id);
CREATE TABLE damaged(origin TEXT, id INTEGER, queue INTEGER, record BLOB);
)";

}  // namespace

const SqliteModel& QueueModel() {
  static const SqliteModel model({kSchema});
  return model;
}

}  // namespace llm_router
