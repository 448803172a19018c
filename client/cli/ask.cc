#include "client/cli/ask.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "broker_adapters/base/status.h"
#include "client/cli/answer_json.h"
#include "client/cli/console.h"
#include "client/cli/usual_route.h"
#include "proto/contract.h"

namespace llm_router::cli {
namespace {

using Answer = client::Result<client::Answer>;

// Prints the answer as it comes, unless it is wanted as JSON.
Answer AskRoute(client::Client& client, const AskOptions& options, const client::Question& question,
                const client::Canceller& canceller, std::ostream& out) {
  client::StreamOptions streaming;
  streaming.canceller = canceller;
  bool printed = false;
  auto answer = client.Stream(
      question,
      [&](const client::Piece& piece) {
        if (options.json) return;
        out << piece.text << std::flush;
        printed = printed || !piece.text.empty();
      },
      streaming);
  if (options.json && answer.ok()) out << OneLine(ToJson(*answer));
  if (printed || answer.ok()) out << std::endl;
  return answer;
}

// The usual route first, for listening to heartbeats takes over a second: only where nobody serves that one
// is it worth finding out which there are.
Answer AskDefaultRoute(client::Client& client, const AskOptions& options, client::Question question,
                       const client::Canceller& canceller, std::ostream& out) {
  question.route = kUsualRoute;
  auto answer = AskRoute(client, options, question, canceller, out);
  if (answer.ok() || answer.error().code != client::ErrorCode::kUnknownRoute) return answer;
  const auto route = UsualRoute(client);
  if (!route.ok()) return route.error().code == client::ErrorCode::kUnknownRoute ? route.error() : answer;
  if (*route == kUsualRoute) return answer;
  question.route = *route;
  return AskRoute(client, options, question, canceller, out);
}

// What is wrong with how the command was called; empty when nothing is. Reads the text where it is not given.
std::string Complete(const AskOptions& options, std::istream& in, client::Question& question) {
  if (question.text.empty() && options.at_terminal) {
    return "say what to ask: llm-router ask \"What is a message broker?\"";
  }
  if (question.text.empty() || question.text == "-") {
    auto text = ReadAll(in, options.server.max_body);
    if (!text) return "standard input is longer than the server takes";
    question.text = *std::move(text);
  }
  if (question.text.find_first_not_of(" \t\r\n") == std::string::npos) return "empty prompt: say what to ask";
  if (question.route.empty()) return {};
  return std::string(MessageOf(contract::CheckRouteName(question.route)));
}

}  // namespace

int RunAsk(const AskOptions& options, const client::Canceller& canceller, std::istream& in, std::ostream& out,
           std::ostream& err) {
  client::Question question = options.question;
  if (const std::string wrong = Complete(options, in, question); !wrong.empty()) return FailUsage(wrong, err);
  client::Client client(options.server);
  const auto answer = question.route.empty() ? AskDefaultRoute(client, options, question, canceller, out)
                                             : AskRoute(client, options, question, canceller, out);
  if (!answer.ok()) {
    if (canceller.cancelled()) return kInterrupted;
    return Fail(answer.error(), err);
  }
  WriteNotes(*answer, err);
  return kDone;
}

}  // namespace llm_router::cli
