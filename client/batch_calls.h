// What Client does about batches. Any thread; blocks its caller's.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "client/jobs_link.h"

namespace llm_router::client {

Result<Batch> SubmitBatchFile(std::shared_ptr<JobsLink> link, const std::string& file,
                              const BatchOptions& options);
Result<Batch> SubmitBatchStream(std::shared_ptr<JobsLink> link, std::istream& lines,
                                const BatchOptions& options);
Result<Batch> SubmitBatchPrompts(std::shared_ptr<JobsLink> link, const std::vector<std::string>& prompts,
                                 const BatchOptions& options);
Result<Batch> FindBatch(std::shared_ptr<JobsLink> link, const std::string& id);
Result<std::vector<BatchStatus>> ListBatches(JobsLink& link, std::size_t most);

}  // namespace llm_router::client
