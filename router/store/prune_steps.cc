#include "router/store/prune_steps.h"

#include <vector>

#include "router/store/file_steps.h"
#include "router/store/job_table.h"

namespace llm_router {
namespace {

int64_t EraseAll(StoreSql& sql, const std::vector<int64_t>& jobs) {
  for (const int64_t seq : jobs) {
    if (const auto row = JobBySeq(sql, seq)) EraseJob(sql, *row);
  }
  return static_cast<int64_t>(jobs.size());
}

int64_t PruneSingles(StoreSql& sql, int64_t before, int64_t most) {
  std::vector<int64_t> jobs;
  for (Rows rows(
           sql,
           "SELECT seq FROM jobs INDEXED BY jobs_over WHERE batch=0 AND state>=2 AND finished<? ORDER BY "
           "finished LIMIT ?",
           before, most);
       rows.Next();)
    jobs.push_back(rows.Int(0));
  return EraseAll(sql, jobs);
}

// `dropping` is 1 where the lines go and 2 where the batch goes after them.
int64_t PruneLines(StoreSql& sql, int64_t most) {
  int64_t batch = 0;
  bool whole = false;
  if (Rows rows(sql,
                "SELECT seq, dropping FROM batches INDEXED BY batches_dropping WHERE dropping>0 LIMIT 1");
      rows.Next()) {
    batch = rows.Int(0);
    whole = rows.Int(1) == 2;
  }
  if (batch == 0) return 0;
  std::vector<int64_t> jobs;
  for (Rows rows(sql, "SELECT seq FROM jobs INDEXED BY jobs_by_custom_id WHERE batch>0 AND batch=? LIMIT ?",
                 batch, most);
       rows.Next();)
    jobs.push_back(rows.Int(0));
  if (!jobs.empty()) return EraseAll(sql, jobs);
  if (!whole) return sql.Run("UPDATE batches SET dropping=0 WHERE seq=?", batch);
  sql.Run("DELETE FROM batch_errors WHERE batch=?", batch);
  return sql.Run("DELETE FROM batches WHERE seq=?", batch);
}

}  // namespace

int64_t PruneOld(StoreSql& sql, int64_t before, int64_t most) {
  sql.Run("UPDATE batches SET dropping=2 WHERE ended>0 AND dropping<2 AND ended<?", before);
  return PruneSingles(sql, before, most) + PruneLines(sql, most) + PruneFiles(sql, before);
}

}  // namespace llm_router
