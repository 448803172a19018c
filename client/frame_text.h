// FrameText: the text in the server-sent events of a dialect, as they arrive. Pure; one thread.
#pragma once

#include <string>
#include <string_view>

namespace llm_router::client {

class FrameText {
 public:
  // openai.chat or anthropic.messages; of another dialect no text is known.
  explicit FrameText(std::string dialect) : dialect_(std::move(dialect)) {}

  // `frames` are whole ones.
  std::string Take(std::string_view frames) const;

 private:
  std::string dialect_;
};

}  // namespace llm_router::client
