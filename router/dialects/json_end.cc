#include "router/dialects/json_end.h"

namespace llm_router {

void JsonEnd::Add(std::string_view piece) {
  begun_ = begun_ || !piece.empty();
  for (const char c : piece) {
    if (escaped_) {
      escaped_ = false;
    } else if (in_string_) {
      escaped_ = c == '\\';
      in_string_ = c != '"';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0 && --depth_ == 0) {
      whole_ = c == '}';
    }
  }
}

}  // namespace llm_router
