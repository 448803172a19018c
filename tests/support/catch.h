// The test framework, included in this one place.
#pragma once

#include <catch2/catch.hpp>
