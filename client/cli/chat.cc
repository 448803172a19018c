#include "client/cli/chat.h"

#include <istream>
#include <ostream>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/text.h"
#include "client/cli/console.h"
#include "client/cli/conversation.h"
#include "proto/contract.h"

namespace llm_router::cli {
namespace {

class ChatSession {
 public:
  ChatSession(const ChatOptions& options, ChatState& state, std::istream& in, std::ostream& out,
              std::ostream& err)
      : options_(options),
        state_(state),
        in_(in),
        out_(out),
        err_(err),
        client_(options.server),
        conversation_(options.system, options.max_history) {}

  int Run();

 private:
  bool ReadLine(const char* prompt, std::string& line);
  int ChooseRoute();
  bool TakeChoice(const std::vector<client::Route>& routes, const std::string& line);
  void Say(std::string text);

  const ChatOptions& options_;
  ChatState& state_;
  std::istream& in_;
  std::ostream& out_;
  std::ostream& err_;
  client::Client client_;
  Conversation conversation_;
  std::string route_;
  bool failed_ = false;
};

bool ChatSession::ReadLine(const char* prompt, std::string& line) {
  if (options_.at_terminal) err_ << prompt << std::flush;
  if (!std::getline(in_, line)) return false;
  const size_t begin = line.find_first_not_of(" \t\r");
  const size_t end = line.find_last_not_of(" \t\r");
  line = begin == std::string::npos ? std::string() : line.substr(begin, end - begin + 1);
  return true;
}

// By number or by name.
bool ChatSession::TakeChoice(const std::vector<client::Route>& routes, const std::string& line) {
  const auto number = ParseNumber<size_t>(line);
  for (size_t i = 0; i < routes.size(); ++i) {
    if (routes[i].name == line || (number && *number == i + 1)) route_ = routes[i].name;
  }
  if (route_.empty()) err_ << "choose a number from 1 to " << routes.size() << ", or a name\n";
  return !route_.empty();
}

int ChatSession::ChooseRoute() {
  const auto routes = client_.Routes();
  if (!routes.ok()) return Fail(routes.error(), err_);
  if (routes->empty()) {
    const std::string message =
        "no worker is connected to " + client_.address() + ": `llm-router serve` runs one";
    return Fail({client::ErrorCode::kUnknownRoute, message, std::nullopt}, err_);
  }
  for (size_t i = 0; i < routes->size(); ++i) {
    err_ << i + 1 << "  " << (*routes)[i].name;
    for (const std::string& model : (*routes)[i].models) err_ << "  " << model;
    err_ << '\n';
  }
  std::string line;
  while (ReadLine("route: ", line)) {
    if (TakeChoice(*routes, line)) return kDone;
  }
  return FailUsage("no route chosen", err_);
}

void ChatSession::Say(std::string text) {
  conversation_.AddUser(std::move(text));
  client::Question question;
  question.route = route_;
  question.dialect = contract::dialect::kOpenAiChat;
  question.body = conversation_.Body(options_.model, options_.temperature, options_.max_tokens);
  client::StreamOptions streaming;
  streaming.canceller = state_.canceller;
  std::string said;
  const auto print = [&](const client::Piece& piece) {
    out_ << piece.text << std::flush;
    said += piece.text;
  };
  state_.answering = true;
  const auto answer = client_.Stream(std::move(question), print, streaming);
  state_.answering = false;
  // A worker that does not stream gives it all at the end.
  if (answer.ok() && said.empty()) out_ << answer->text;
  if (answer.ok() || !said.empty()) out_ << std::endl;
  if (!answer.ok()) {
    conversation_.DropLast();
    failed_ = true;
    if (!state_.canceller.cancelled()) Fail(answer.error(), err_);
    return;
  }
  conversation_.AddAssistant(answer->text);
  if (conversation_.size() <= 2) WriteNotes(*answer, err_);  // once a conversation is enough
}

int ChatSession::Run() {
  route_ = options_.route;
  if (route_.empty()) {
    if (const int code = ChooseRoute(); code != kDone) return code;
  }
  if (options_.at_terminal)
    err_ << "chatting on " << route_ << "; /reset begins anew, /quit or Ctrl-D ends\n";
  std::string line;
  while (!state_.canceller.cancelled() && ReadLine("> ", line) && line != "/quit") {
    if (line == "/reset") {
      conversation_.Clear();
    } else if (!line.empty()) {
      Say(line);
    }
  }
  if (state_.canceller.cancelled()) return kInterrupted;
  return failed_ && !options_.at_terminal ? kFailed : kDone;
}

}  // namespace

int RunChat(const ChatOptions& options, ChatState& state, std::istream& in, std::ostream& out,
            std::ostream& err) {
  if (!options.route.empty()) {
    if (const auto status = contract::CheckRouteName(options.route); !status.ok()) {
      return FailUsage(std::string(MessageOf(status)), err);
    }
  }
  return ChatSession(options, state, in, out, err).Run();
}

}  // namespace llm_router::cli
