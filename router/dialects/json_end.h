// JsonEnd: whether a JSON object that comes in pieces is whole. One thread at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace llm_router {

class JsonEnd {
 public:
  void Add(std::string_view piece);
  // From its last brace on. What is no object never is.
  bool whole() const { return whole_; }
  bool begun() const { return begun_; }

 private:
  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool begun_ = false;
  bool whole_ = false;
};

}  // namespace llm_router
