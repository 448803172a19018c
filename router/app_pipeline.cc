#include "router/app_pipeline.h"

#include <utility>
#include <vector>

#include "router/pipeline/account.h"
#include "router/pipeline/call.h"
#include "router/pipeline/chain.h"
#include "router/pipeline/decode.h"
#include "router/pipeline/targets.h"

namespace llm_router {

std::unique_ptr<Pipeline> MakePipeline(Broker& broker, HttpClient& http, size_t most_body) {
  std::vector<std::unique_ptr<Stage>> stages;
  stages.push_back(MakeAccountStage());
  stages.push_back(MakeDecodeStage());
  stages.push_back(MakeChainStage(broker, most_body));
  stages.push_back(MakeTargetsStage());
  stages.push_back(MakeCallStage(http, most_body));
  return std::make_unique<Pipeline>(std::move(stages));
}

}  // namespace llm_router
