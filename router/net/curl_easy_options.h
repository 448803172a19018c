// The options that every easy handle of ours has: TLS trust, protocols, no redirects, no signals. Loop
// thread.
#pragma once

#include <curl/curl.h>

namespace llm_router {

// Initialises libcurl, once in a process.
void InitCurl();

// Sets them on a new handle.
void SetSharedOptions(CURL* easy);

}  // namespace llm_router
