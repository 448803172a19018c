// The pipeline that a worker's queries go through, with every stage in its place.
#pragma once

#include <cstddef>
#include <memory>

#include "broker_adapters/broker.h"
#include "router/net/http_client.h"
#include "router/pipeline/pipeline.h"

namespace llm_router {

// `broker` and `http` outlive it. `most_body`: bytes of a provider's reply and of a step's question.
std::unique_ptr<Pipeline> MakePipeline(Broker& broker, HttpClient& http, size_t most_body);

}  // namespace llm_router
