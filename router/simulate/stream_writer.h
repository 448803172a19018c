// StreamWriter: turns the pieces of an answer into the frames of one endpoint's event stream.
//
// Made by an Api for one stream; loop thread. A piece is the least that a stream shows: a word, or a part of
// a tool call's arguments. Pieces are what pacing, gates, faults and the request log count; the frames around
// them (the first one, those that open and close a block, the last ones) go along with them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/simulate/answer.h"

namespace llm_router::simulate {

struct Piece {
  enum class Kind { kReasoning, kText, kArguments };

  Kind kind;
  size_t part;            // kArguments: which of the calls; else which of the prompts is answered
  std::string_view text;  // of the answer
};

// Their texts, joined by kind and part, are the answer's. Valid as long as `answer`.
std::vector<Piece> PiecesOf(const Answer& answer);

// Begin, then every piece in order, then End; or Error instead of the rest.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;

  virtual std::string Begin() = 0;
  virtual std::string Write(const Piece& piece) = 0;
  virtual std::string End() = 0;
  virtual std::string Error() = 0;
};

}  // namespace llm_router::simulate
