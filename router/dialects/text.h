// The functions behind the codec `text`. A streamed answer is bare pieces of text, without frames: each is a
// SseFrame's `data`, and an empty one is the end, which else is only where the stream closes. Pure; any
// thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "router/dialects/chat.h"
#include "router/dialects/reply_stream.h"

namespace llm_router::text {

std::unique_ptr<ReplyParser> NewParser();
std::unique_ptr<ReplyWriter> NewWriter(Warnings& warnings);
std::unique_ptr<ReplyRelay> NewRelay(const StreamWishes& wishes);

// The text of all messages, a blank line between two; what is none is named.
std::string PromptOf(const Chat& chat, Warnings& warnings);
std::string TextOf(const std::vector<Part>& parts, Warnings& warnings);

// Names a part that is no text.
void WarnOfOther(const Part& part, Warnings& warnings);
// Names an end before the answer's own.
void WarnOfCut(Finish finish, Warnings& warnings);

}  // namespace llm_router::text
