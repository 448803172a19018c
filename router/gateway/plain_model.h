// `POST /model`: the plainest door: a prompt in, text out.
//
//   {"model_type": route, "model_name": model, "input_data": prompt, "max_tokens": N, "temperature": X,
//    "timeout": seconds}     (only the first and the third are needed)
//
// The reply is the text, text/plain; a failure {"error": {"message", "type", "code", ...}} with the fault's
// HTTP status.
#pragma once

#include "router/gateway/kubemq_rest_state.h"

namespace llm_router {

Awaitable<void> AnswerPlainModel(RestCall call);

}  // namespace llm_router
