#include "router/store/sqlite_schema.h"

namespace llm_router {
namespace {

// A job's state is the number of contract::JobState. `fed`: its message lies in the queue of its route, or a
// worker has it. `lane`: 0 single jobs, 1 those of priority batch, from 2 on the line of batch lane-1. `due`:
// 0 at once, else not before. `checksum` of jobs is over the row, of batches over what never changes. Each
// index is one way in which something is looked for.
constexpr const char* kVersion1 = R"(
CREATE TABLE jobs(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, route TEXT NOT NULL,
  state INTEGER NOT NULL, fed INTEGER NOT NULL, lane INTEGER NOT NULL, due INTEGER NOT NULL,
  generation INTEGER NOT NULL, batch INTEGER NOT NULL, line INTEGER NOT NULL, custom_id TEXT NOT NULL,
  has_message INTEGER NOT NULL, message_id TEXT NOT NULL, sent_at INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL, deadline INTEGER NOT NULL, reply_to TEXT NOT NULL,
  created INTEGER NOT NULL, started INTEGER NOT NULL, finished INTEGER NOT NULL, runs INTEGER NOT NULL,
  run TEXT NOT NULL, worker TEXT NOT NULL, ended_run TEXT NOT NULL, verdict INTEGER NOT NULL,
  checksum INTEGER NOT NULL);
CREATE INDEX jobs_by_message ON jobs(tenant, message_id, sent_at) WHERE has_message=1;
CREATE UNIQUE INDEX jobs_by_key ON jobs(tenant, idempotency_key) WHERE idempotency_key<>'';
CREATE UNIQUE INDEX jobs_by_custom_id ON jobs(batch, custom_id) WHERE batch>0;
CREATE INDEX jobs_listed ON jobs(tenant, seq) WHERE batch=0;
CREATE INDEX jobs_listed_by_state ON jobs(tenant, state, seq) WHERE batch=0;
CREATE INDEX jobs_listed_by_route ON jobs(tenant, route, state, seq) WHERE batch=0;
CREATE INDEX jobs_of_route ON jobs(tenant, route, seq) WHERE batch=0;
CREATE INDEX jobs_to_feed ON jobs(route, lane, due, seq) WHERE state=0 AND fed=0;
CREATE INDEX jobs_in_queue ON jobs(route, seq) WHERE state=0 AND fed=1;
CREATE INDEX jobs_running ON jobs(worker, seq) WHERE state=1;
CREATE INDEX jobs_with_deadline ON jobs(deadline) WHERE deadline>0 AND state=0;
CREATE INDEX jobs_open_in_batch ON jobs(batch, seq) WHERE batch>0 AND state<2;
CREATE INDEX jobs_over ON jobs(finished) WHERE batch=0 AND state>=2;
CREATE TABLE bodies(job INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE results(
  seq INTEGER PRIMARY KEY, job INTEGER NOT NULL UNIQUE, batch INTEGER NOT NULL, failed INTEGER NOT NULL,
  checksum INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX results_of_batch ON results(batch, seq) WHERE batch>0;
CREATE INDEX results_by_outcome ON results(batch, failed, seq) WHERE batch>0;
CREATE TABLE failures(
  id INTEGER PRIMARY KEY, job INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
  code TEXT NOT NULL, message TEXT NOT NULL, checksum INTEGER NOT NULL, UNIQUE(job, number));
CREATE TABLE outbox(
  job INTEGER PRIMARY KEY, due INTEGER NOT NULL, attempts INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE INDEX outbox_by_due ON outbox(due);
CREATE TABLE routes(
  name TEXT PRIMARY KEY, unfed INTEGER NOT NULL, fed INTEGER NOT NULL, running INTEGER NOT NULL,
  completed INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE batches(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, state INTEGER NOT NULL,
  options TEXT NOT NULL, at_once INTEGER NOT NULL, next_line INTEGER NOT NULL, bytes INTEGER NOT NULL,
  total INTEGER NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT NULL, running INTEGER NOT NULL,
  fed INTEGER NOT NULL, bad_lines INTEGER NOT NULL, ending INTEGER NOT NULL, dropping INTEGER NOT NULL,
  ended INTEGER NOT NULL, created INTEGER NOT NULL, in_progress INTEGER NOT NULL, expires INTEGER NOT NULL,
  finalizing INTEGER NOT NULL, completed_at INTEGER NOT NULL, failed_at INTEGER NOT NULL,
  expired_at INTEGER NOT NULL, cancelling_at INTEGER NOT NULL, cancelled_at INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL, checksum INTEGER NOT NULL);
CREATE UNIQUE INDEX batches_by_key ON batches(tenant, idempotency_key) WHERE idempotency_key<>'';
CREATE INDEX batches_listed ON batches(tenant, seq);
CREATE INDEX batches_open ON batches(expires) WHERE ended=0 AND ending=0;
CREATE INDEX batches_ending ON batches(seq) WHERE ended=0 AND ending>0;
CREATE INDEX batches_dropping ON batches(seq) WHERE dropping>0;
CREATE INDEX batches_over ON batches(ended) WHERE ended>0 AND dropping<2;
CREATE TABLE batch_errors(
  id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, line INTEGER NOT NULL, code TEXT NOT NULL,
  message TEXT NOT NULL, param TEXT NOT NULL, checksum INTEGER NOT NULL, UNIQUE(batch, line));
)";

// A file's content lies in pieces, as it came.
constexpr const char* kVersion2 = R"(
CREATE TABLE files(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, filename TEXT NOT NULL,
  purpose TEXT NOT NULL, bytes INTEGER NOT NULL, stored INTEGER NOT NULL, created INTEGER NOT NULL,
  checksum INTEGER NOT NULL);
CREATE INDEX files_listed ON files(tenant, seq);
CREATE INDEX files_by_age ON files(created);
CREATE TABLE file_parts(
  seq INTEGER PRIMARY KEY, file INTEGER NOT NULL, at INTEGER NOT NULL, checksum INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE UNIQUE INDEX file_parts_at ON file_parts(file, at);
)";

}  // namespace

const SqliteModel& StoreModel() {
  static const SqliteModel model({kVersion1, kVersion2});
  return model;
}

}  // namespace llm_router
