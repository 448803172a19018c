#include "router/store/store_check.h"

#include <fmt/format.h>

#include <vector>

#include "broker_adapters/base/sqlite.h"
#include "broker_adapters/base/status.h"
#include "router/store/batch_table.h"
#include "router/store/job_row.h"
#include "router/store/sqlite_schema.h"
#include "router/store/store_sql.h"

namespace llm_router {
namespace {

// Rows of these say that counts are not those of the jobs they count, or a state is none that can be.
constexpr const char* kContradictions[] = {
    "SELECT 1 FROM (SELECT route, SUM(state=0 AND fed=0) AS u, SUM(state<2 AND fed=1) AS f, SUM(state=1) AS "
    "r "
    "FROM jobs GROUP BY route) LEFT JOIN routes ON name=route "
    "WHERE u<>IFNULL(unfed,0) OR f<>IFNULL(fed,0) OR r<>IFNULL(running,0)",
    "SELECT 1 FROM routes WHERE (unfed<>0 OR fed<>0 OR running<>0) AND name NOT IN (SELECT route FROM jobs)",
    "SELECT 1 FROM batches b LEFT JOIN (SELECT batch, COUNT(*) AS n, SUM(state=2) AS c, SUM(state>2) AS f, "
    "SUM(state=1) AS r, SUM(state<2 AND fed=1) AS d FROM jobs WHERE batch>0 GROUP BY batch) l "
    "ON l.batch=b.seq WHERE b.ended=0 AND (IFNULL(n,0)<>b.total OR IFNULL(c,0)<>b.completed OR "
    "IFNULL(f,0)<>b.failed OR IFNULL(r,0)<>b.running OR IFNULL(d,0)<>b.fed)",
    "SELECT 1 FROM batches WHERE (ended>0)<>(state IN (1,4,5,7)) OR state NOT BETWEEN 0 AND 7",
    "SELECT 1 FROM jobs WHERE batch>0 AND batch NOT IN (SELECT seq FROM batches)",
};

void CheckRows(SQLite::Database& database) {
  SQLite::Statement jobs(database, "SELECT " LLM_ROUTER_JOB_COLUMNS " FROM jobs");
  while (jobs.executeStep()) {
    const KeptJobRow kept = ReadJobRow(jobs);
    if (!kept.is_whole) ThrowDamage(fmt::format("the row of job number {} is damaged", kept.row.seq));
  }
  StoreSql sql(database);
  std::vector<int64_t> batches;
  for (Rows rows(sql, "SELECT seq FROM batches"); rows.Next();) batches.push_back(rows.Int(0));
  for (const int64_t batch : batches) (void)BatchBySeq(sql, batch);
  for (const char* contradiction : kContradictions) {
    if (Rows(sql, contradiction).Next()) ThrowDamage("its counts are not those of its jobs");
  }
}

}  // namespace

absl::Status CheckStore(SQLite::Database& database) {
  RETURN_IF_ERROR(StoreModel().MakeOrCheck(database));
  return TrySqlite([&] {
    if (SqliteModel::IsReadThrough(database)) CheckRows(database);
  });
}

}  // namespace llm_router
