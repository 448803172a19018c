// ReadBatchLines: the lines of one append, each read and checked (batch_input.h), for the store.
//
// A coroutine: between some of them it lets others of the loop run, for half a megabyte of JSON takes a
// while.
#pragma once

#include <vector>

#include "broker_adapters/base/awaitable.h"
#include "proto/batch.h"
#include "proto/contract.h"
#include "router/store/store.h"

namespace llm_router {

Awaitable<AppendedLines> ReadBatchLines(contract::AppendLines ask, contract::BatchOptions options,
                                        std::vector<contract::RouteModels> routes);

}  // namespace llm_router
