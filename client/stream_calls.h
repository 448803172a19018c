// How an AnswerStream is begun. Inside of the client only; any thread.
#pragma once

#include <memory>

#include "client/connection.h"
#include "client/stream.h"

namespace llm_router::client {

// Both return at once; what is wrong is the error of Finish.
struct StreamCalls {
  static AnswerStream Ask(std::shared_ptr<Connection> connection, Question question,
                          const StreamOptions& options);
  static AnswerStream Resume(std::shared_ptr<Connection> connection, const StreamPosition& from,
                             const std::string& dialect, const StreamOptions& options);
};

}  // namespace llm_router::client
