#include "client/cli/console.h"

#include <istream>
#include <ostream>

namespace llm_router::cli {

int Fail(const client::Error& error, std::ostream& err) {
  err << "error: " << error.message << '\n';
  return kFailed;
}

int FailUsage(const std::string& message, std::ostream& err) {
  err << "error: " << message << '\n';
  return kUsage;
}

bool IsSimulated(const client::Answer& answer) { return answer.provider == "simulated"; }

void WriteSimulatedNote(std::ostream& err) {
  err << "note: simulated, no provider was asked; real answers need OPENAI_API_KEY or ANTHROPIC_API_KEY "
         "where "
         "the server runs\n";
}

void WriteNotes(const client::Answer& answer, std::ostream& err) {
  if (IsSimulated(answer)) WriteSimulatedNote(err);
  for (const std::string& warning : answer.warnings) err << "warning: " << warning << '\n';
}

std::optional<std::string> ReadAll(std::istream& in, size_t limit) {
  std::string all;
  char block[16 * 1024];
  while (in.read(block, sizeof(block)), in.gcount() > 0) {
    all.append(block, static_cast<size_t>(in.gcount()));
    if (all.size() > limit) return std::nullopt;
  }
  return all;
}

}  // namespace llm_router::cli
