// QueueFile::Row: a row of `messages` or `delayed` as it was read, true or not. For queue_file*.cc.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>

#include "broker_adapters/base/sqlite_statement.h"
#include "broker_adapters/embedded/queue_file.h"

namespace llm_router {

struct QueueFile::Row {
  // Of a statement's columns id, queue, sequence or due, expires, deliveries, checksum, record.
  explicit Row(SQLite::Statement& statement)
      : id(statement.getColumn(0).getInt64()),
        queue(statement.getColumn(1).getInt64()),
        sequence_or_due(statement.getColumn(2).getInt64()),
        expires(statement.getColumn(3).getInt64()),
        deliveries(statement.getColumn(4).getInt()),
        checksum(statement.getColumn(5).getInt64()),
        record(BlobOf(statement.getColumn(6))) {}

  Place PlaceOf(bool is_delayed) const {
    Place place;
    place.id = id;
    place.sequence = is_delayed ? 0 : static_cast<uint64_t>(sequence_or_due);
    place.expires = expires;
    place.deliveries = deliveries;
    return place;
  }
  bool IsWhole(bool is_delayed) const {
    return Checksum(queue, PlaceOf(is_delayed), is_delayed ? sequence_or_due : 0, record) == checksum;
  }

  int64_t id, queue, sequence_or_due, expires;
  int deliveries;
  int64_t checksum;
  std::string record;
};

}  // namespace llm_router
